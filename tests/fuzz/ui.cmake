scout_fuzz_target(ui_page scout_ui)

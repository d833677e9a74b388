/* The files of this folder, put into the program by the assembler as they are. */
#include "assets.h"

#include <stddef.h>

/* The file between two symbols of its own. */
#define EMBED(name, file)                                                                          \
    __asm__(".pushsection .rodata\n"                                                               \
            ".hidden ui_" #name "_begin\n.global ui_" #name "_begin\n"                             \
            ".hidden ui_" #name "_end\n.global ui_" #name "_end\n"                                 \
            "ui_" #name "_begin:\n.incbin \"" SCOUT_UI_FOLDER "/" file "\"\n"                      \
            "ui_" #name "_end:\n.byte 0\n"                                                         \
            ".popsection\n");                                                                      \
    extern const char ui_##name##_begin[], ui_##name##_end[]

EMBED(html, "view.html");
EMBED(css, "view.css");
EMBED(dom, "dom.js");
EMBED(path, "path.js");
EMBED(bridge, "bridge.js");
EMBED(frame, "frame.js");
EMBED(directory, "directory.js");
EMBED(file, "file.js");
EMBED(log, "log.js");
EMBED(hosts, "hosts.js");
EMBED(markdown_emphasis, "markdown_emphasis.js");
EMBED(markdown_inline, "markdown_inline.js");
EMBED(markdown_blocks, "markdown_blocks.js");
EMBED(markdown_view, "markdown_view.js");
EMBED(main, "main.js");

#define PART(name)                                                                                 \
    {                                                                                              \
        ui_##name##_begin, ui_##name##_end                                                         \
    }

/* In the order of enum ui_asset. */
static const struct {
    const char *begin, *end;
} assets[] = {
    [ASSET_HTML] = PART(html),
    [ASSET_CSS] = PART(css),
    [ASSET_DOM] = PART(dom),
    [ASSET_PATH] = PART(path),
    [ASSET_BRIDGE] = PART(bridge),
    [ASSET_FRAME] = PART(frame),
    [ASSET_DIRECTORY] = PART(directory),
    [ASSET_FILE] = PART(file),
    [ASSET_LOG] = PART(log),
    [ASSET_HOSTS] = PART(hosts),
    [ASSET_MARKDOWN_EMPHASIS] = PART(markdown_emphasis),
    [ASSET_MARKDOWN_INLINE] = PART(markdown_inline),
    [ASSET_MARKDOWN_BLOCKS] = PART(markdown_blocks),
    [ASSET_MARKDOWN_VIEW] = PART(markdown_view),
    [ASSET_MAIN] = PART(main),
};

struct slice ui_asset(enum ui_asset asset)
{
    return slice_of(assets[asset].begin, (size_t)(assets[asset].end - assets[asset].begin));
}

/* The files of this folder that pages are made of, as bytes. Private to the layer. */
#ifndef SCOUT_UI_ASSETS_H
#define SCOUT_UI_ASSETS_H

#include "scout/base/slice.h"

enum ui_asset {
    ASSET_HTML,
    ASSET_CSS,
    ASSET_DOM,
    ASSET_PATH,
    ASSET_BRIDGE,
    ASSET_FRAME,
    ASSET_DIRECTORY,
    ASSET_FILE,
    ASSET_LOG,
    ASSET_HOSTS,
    ASSET_MARKDOWN_EMPHASIS,
    ASSET_MARKDOWN_INLINE,
    ASSET_MARKDOWN_BLOCKS,
    ASSET_MARKDOWN_VIEW,
    ASSET_MAIN,
};

struct slice ui_asset(enum ui_asset asset);

#endif

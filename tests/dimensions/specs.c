#include "tests/dimensions/specs.h"

static const vc_level_spec geo_levels[] = {
    {.name = {"region", 6}, .key_column = 1, NO_COLUMNS},
    {.name = {"country", 7}, .key_column = 0, .label_column = 2, .order_column = -1},
};
static const vc_hierarchy_spec geo_hierarchies[] = {
    {.name = {"std", 3}, .nlevels = 2, .levels = geo_levels},
};
static const vc_attribute_spec geo_attributes[] = {
    {.name = {"capital", 7}, .column = 3, .hierarchy = -1, .level = -1},
    {.name = {"zone", 4}, .column = 4, .hierarchy = -1, .level = -1},
};
static const vc_index_spec geo_indexes[] = {
    {.name = {"capital_of", 10}, .attribute = {"capital", 7}, .is_unique = true},
};
static const vc_str geo_columns[] = {
    {"iso3", 4}, {"region", 6}, {"name", 4}, {"capital", 7}, {"zone", 4}};
const vc_dimension_spec geo_spec = {.name = {"geo", 3},
                                    .label = {"Geography", 9},
                                    .ncolumns = 5,
                                    .column_names = geo_columns,
                                    .key_column = 0,
                                    .nhierarchies = 1,
                                    .hierarchies = geo_hierarchies,
                                    .nattributes = 2,
                                    .attributes = geo_attributes,
                                    .nindexes = 1,
                                    .indexes = geo_indexes};

static const vc_level_spec city_levels[] = {
    {.name = {"country", 7}, .key_column = 0, NO_COLUMNS},
    {.name = {"city", 4}, .key_column = 1, NO_COLUMNS},
};
static const vc_hierarchy_spec city_hierarchies[] = {
    {.name = {"std", 3}, .nlevels = 2, .levels = city_levels},
};
static const vc_attribute_spec city_attributes[] = {
    {.name = {"zip", 3}, .column = 2, .hierarchy = 0, .level = 1},
    {.name = {"rank", 4}, .column = 3, .hierarchy = -1, .level = -1},
};
static const vc_str city_columns[] = {{"country", 7}, {"city", 4}, {"zip", 3}, {"rank", 4}};
const vc_dimension_spec city_spec = {.name = {"city", 4},
                                     .ncolumns = 4,
                                     .column_names = city_columns,
                                     .key_column = -1,
                                     .nhierarchies = 1,
                                     .hierarchies = city_hierarchies,
                                     .nattributes = 2,
                                     .attributes = city_attributes};

static const vc_level_spec month_levels[] = {
    {.name = {"year", 4}, .key_column = 1, .key_type = VC_KEY_INT, NO_COLUMNS},
    {.name = {"month", 5}, .key_column = 2, .key_type = VC_KEY_INT, NO_COLUMNS},
    {.name = {"day", 3}, .key_column = 0, .key_type = VC_KEY_DATE, NO_COLUMNS},
};
static const vc_level_spec week_levels[] = {
    {.name = {"wyear", 5}, .key_column = 3, .key_type = VC_KEY_INT, NO_COLUMNS},
    {.name = {"week", 4}, .key_column = 4, NO_COLUMNS},
};
static const vc_hierarchy_spec date_hierarchies[] = {
    {.name = {"calendar", 8}, .nlevels = 3, .levels = month_levels},
    {.name = {"weekly", 6}, .nlevels = 2, .levels = week_levels},
};
static const vc_str date_columns[] = {
    {"day", 3}, {"year", 4}, {"month", 5}, {"week_year", 9}, {"week", 4}};
const vc_dimension_spec date_spec = {.name = {"date", 4},
                                     .is_time = true,
                                     .ncolumns = 5,
                                     .column_names = date_columns,
                                     .key_column = -1,
                                     .nhierarchies = 2,
                                     .hierarchies = date_hierarchies};

/* Maps: countries in the colour of their number. Countries that are not in the grid, and those
 * without a value, are grey; what is in the grid and not on the map is counted below it. */
#include "report/chart_parts.h"

#include "report/map.h"

#include <math.h>
#include <string.h>

enum { OUTLINE = 0x8C8C8C, FEW_NAMES = 5 };

static const double outline_width = 0.3, radius_of_small = 2.2;

typedef struct map_chart {
    vc_drawing *drawing;
    vc_scale *scales; /* [npanels] */
    uint32_t *row_of; /* [ncountries]: row + 1; 0: not in the grid */
    vc_list missing;  /* vc_str: rows that are not on the map */
    size_t nrepeated; /* rows of a country that an earlier row has */
} map_chart;

static void find_rows(map_chart *map)
{
    vc_drawing *drawing = map->drawing;
    map->row_of = VC_ARENA_NEW(drawing->arena, uint32_t, vc_map_ncountries);
    map->scales = VC_ARENA_NEW(drawing->arena, vc_scale, drawing->npanels);
    if (map->row_of == NULL || map->scales == NULL) {
        drawing->failed = true;
        return;
    }
    for (size_t row = 0; row < drawing->grid->nrows; row++) {
        const vc_map_country *country =
            drawing->chart->codes == NULL ? NULL : vc_map_find(drawing->chart->codes[row]);
        if (country == NULL) {
            vc_str *missing = VC_LIST_NEW(&map->missing, drawing->arena, vc_str);
            if (missing == NULL)
                drawing->failed = true;
            else
                *missing = drawing->row_names[row];
            continue;
        }
        uint32_t *row_of = &map->row_of[country - vc_map_countries];
        if (*row_of == 0)
            *row_of = (uint32_t)row + 1;
        else
            map->nrepeated++;
    }
}

static void add_notes(map_chart *map)
{
    vc_drawing *drawing = map->drawing;
    const vc_str *names = map->missing.items;
    size_t count = map->missing.count;
    if (count > 0) {
        vc_buffer *out = &drawing->scratch;
        vc_buffer_printf(out, "%zu %s not on the map: ", count, count == 1 ? "row is" : "rows are");
        for (size_t i = 0; i < count && i < FEW_NAMES; i++) {
            if (i > 0) vc_buffer_put_text(out, ", ");
            vc_buffer_put_str(out, vc_draw_fit(drawing, names[i], VC_SIZE_NOTE, false, 150));
        }
        vc_buffer_put_text(out, count > FEW_NAMES ? ", \xE2\x80\xA6" : ".");
        vc_draw_note(drawing, vc_draw_scratch(drawing));
    }
    if (map->nrepeated > 0)
        vc_draw_note(drawing,
                     vc_draw_printf(drawing,
                                    "%zu %s of a country that is on the map already and %s not "
                                    "shown.",
                                    map->nrepeated, map->nrepeated == 1 ? "row is" : "rows are",
                                    map->nrepeated == 1 ? "is" : "are"));
}

/* ---- shapes ---- */

typedef struct view { /* of a panel */
    double left, top, scale;
} view;

static size_t count_corners(const vc_map_country *country)
{
    size_t count = 0;
    for (size_t i = 0; i < country->nrings; i++)
        count += vc_map_rings[country->ring + i];
    return count;
}

static void put_corners(const view *at, const vc_map_country *country, float *points)
{
    const int16_t *corners = vc_map_points + 2 * (size_t)country->corner;
    size_t count = count_corners(country);
    for (size_t i = 0; i < count; i++) {
        points[2 * i] = (float)(at->left + corners[2 * i] * at->scale);
        points[2 * i + 1] = (float)(at->top + corners[2 * i + 1] * at->scale);
    }
}

static void draw_country(vc_drawing *drawing, const view *at, const vc_map_country *country,
                         uint32_t fill, vc_str tip)
{
    if (country->nrings == 0) {
        vc_draw_circle(drawing, at->left + country->x * at->scale, at->top + country->y * at->scale,
                       radius_of_small, fill, OUTLINE, tip);
        return;
    }
    float *points;
    vc_shape *shape = vc_draw_path(drawing, VC_SHAPE_AREA, 2 * count_corners(country), &points);
    if (shape == NULL) return;
    put_corners(at, country, points);
    shape->rings = vc_map_rings + country->ring;
    shape->nrings = country->nrings;
    shape->fill = fill;
    shape->stroke = OUTLINE;
    shape->stroke_width = (float)outline_width;
    shape->text = tip;
}

/* Of which there is no row: one shape, without tips. */
static void draw_others(const map_chart *map, const view *at)
{
    vc_drawing *drawing = map->drawing;
    size_t ncorners = 0, nrings = 0;
    for (size_t i = 0; i < vc_map_ncountries; i++)
        if (map->row_of[i] == 0) {
            ncorners += count_corners(&vc_map_countries[i]);
            nrings += vc_map_countries[i].nrings;
        }
    if (nrings == 0) return;
    float *points;
    vc_shape *shape = vc_draw_path(drawing, VC_SHAPE_AREA, 2 * ncorners, &points);
    uint32_t *rings = VC_ARENA_NEW(drawing->arena, uint32_t, nrings);
    if (shape == NULL || rings == NULL) {
        drawing->failed = true;
        return;
    }
    shape->rings = rings;
    shape->nrings = nrings;
    shape->fill = VC_NO_VALUE;
    shape->stroke = OUTLINE;
    shape->stroke_width = (float)outline_width;
    for (size_t i = 0; i < vc_map_ncountries; i++) {
        const vc_map_country *country = &vc_map_countries[i];
        if (map->row_of[i] != 0 || country->nrings == 0) continue;
        put_corners(at, country, points);
        memcpy(rings, vc_map_rings + country->ring, country->nrings * sizeof *rings);
        points += 2 * count_corners(country);
        rings += country->nrings;
    }
}

static vc_str tip_of(vc_drawing *drawing, size_t row, size_t column)
{
    const vc_cell *cell = vc_grid_cell(drawing->grid, row, column);
    if (!cell->is_null) return vc_drawing_tip(drawing, row, column);
    vc_str name = vc_drawing_row(drawing, row);
    return vc_draw_printf(drawing, "%.*s: %s", VC_FMT(name), vc_document_reason(cell->reason));
}

static void draw_countries(const map_chart *map, const view *at, size_t p, bool are_small)
{
    vc_drawing *drawing = map->drawing;
    size_t column = drawing->panels[p].first;
    for (size_t i = 0; i < vc_map_ncountries; i++) {
        const vc_map_country *country = &vc_map_countries[i];
        if (map->row_of[i] == 0 || (country->nrings == 0) != are_small) continue;
        size_t row = map->row_of[i] - 1;
        uint32_t fill = VC_NO_VALUE;
        if (!vc_grid_cell(drawing->grid, row, column)->is_null)
            fill = vc_scale_colour(&map->scales[p], vc_grid_number(drawing->grid, row, column));
        if (fill == VC_NO_COLOUR) fill = 0xFFFFFF;
        draw_country(drawing, at, country, fill, tip_of(drawing, row, column));
    }
}

/* Of the rows on the map. */
static void find_scale(const map_chart *map, size_t p, vc_scale *scale)
{
    const vc_drawing *drawing = map->drawing;
    size_t column = drawing->panels[p].first;
    for (size_t i = 0; i < vc_map_ncountries; i++)
        if (map->row_of[i] != 0 &&
            !vc_grid_cell(drawing->grid, map->row_of[i] - 1, column)->is_null)
            vc_scale_add(scale, vc_grid_number(drawing->grid, map->row_of[i] - 1, column));
}

/* Panels of one measure have one scale, so that they compare. */
static void find_scales(map_chart *map)
{
    vc_drawing *drawing = map->drawing;
    const vc_grid *grid = drawing->grid;
    bool is_log = drawing->chart->is_logarithmic;
    for (size_t p = 0; p < drawing->npanels; p++)
        find_scale(map, grid->nmeasures == 1 ? p : p, &map->scales[grid->nmeasures == 1 ? 0 : p]);
    for (size_t p = 0; p < drawing->npanels; p++) {
        if (grid->nmeasures == 1 && p > 0)
            map->scales[p] = map->scales[0];
        else
            vc_scale_init(&map->scales[p], vc_grid_measure_at(grid, 0, drawing->panels[p].first),
                          true, is_log);
    }
}

void vc_draw_map(vc_drawing *drawing)
{
    map_chart map = {.drawing = drawing};
    const vc_grid *grid = drawing->grid;
    find_rows(&map);
    if (drawing->failed) return;
    find_scales(&map);
    bool has_panels = drawing->npanels > 1 || drawing->panels[0].title.size > 0;
    for (size_t p = 0; p < drawing->npanels; p++) {
        if (grid->nmeasures == 1 && p > 0) break;
        vc_draw_title(drawing, vc_drawing_title_of(drawing, map.scales[p].measure));
        vc_draw_scale(drawing, &map.scales[p], true);
    }
    double across = drawing->npanels > 1 ? 2 : 1, margin = 3, gap = 12;
    double width = (drawing->width - gap * (across - 1)) / across;
    vc_panel_room room = {.margin = gap,
                          .height = width * vc_map_height / vc_map_width,
                          .above = 4,
                          .below = 6,
                          .min_width = fmin(width - 1, drawing->width / 2 - 7)};
    if (!has_panels) room.min_width = width - 1;
    vc_drawing_place_panels(drawing, &room);
    for (size_t p = 0; p < drawing->npanels; p++) {
        vc_box box = drawing->panels[p].box;
        view at = {box.left + margin, box.top, (box.right - box.left - 2 * margin) / vc_map_width};
        draw_others(&map, &at);
        draw_countries(&map, &at, p, false);
        draw_countries(&map, &at, p, true);
    }
    add_notes(&map);
}

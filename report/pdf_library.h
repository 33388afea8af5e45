/* Cairo and Pango, loaded when the first PDF is made.
 *
 * Linked as usual, these libraries and theirs (GLib, HarfBuzz, X11, ...) would be loaded by every
 * start of vcube, which most often makes no PDF: 5 ms in place of 3, and memory of the server. So
 * the functions are called through a table. A machine without the libraries makes all other
 * formats.
 *
 * Include this in place of their headers. A function that is not in both lists below does not link.
 * Threads: any.
 */
#ifndef REPORT_PDF_LIBRARY_H
#define REPORT_PDF_LIBRARY_H

#include "base/status.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

/* Load them, the first time. VC_STORAGE, code "output", when they are not there. */
vc_status vc_pdf_library_open(vc_error *error);

#define VC_PDF_LIBRARY(X)                                                                          \
    X(cairo_arc)                                                                                   \
    X(cairo_close_path)                                                                            \
    X(cairo_create)                                                                                \
    X(cairo_destroy)                                                                               \
    X(cairo_fill)                                                                                  \
    X(cairo_fill_preserve)                                                                         \
    X(cairo_font_face_destroy)                                                                     \
    X(cairo_font_face_reference)                                                                   \
    X(cairo_font_options_create)                                                                   \
    X(cairo_font_options_destroy)                                                                  \
    X(cairo_font_options_set_antialias)                                                            \
    X(cairo_font_options_set_hint_metrics)                                                         \
    X(cairo_font_options_set_hint_style)                                                           \
    X(cairo_glyph_free)                                                                            \
    X(cairo_line_to)                                                                               \
    X(cairo_move_to)                                                                               \
    X(cairo_new_sub_path)                                                                          \
    X(cairo_pdf_surface_add_outline)                                                               \
    X(cairo_pdf_surface_create_for_stream)                                                         \
    X(cairo_pdf_surface_set_metadata)                                                              \
    X(cairo_pdf_surface_set_size)                                                                  \
    X(cairo_rectangle)                                                                             \
    X(cairo_restore)                                                                               \
    X(cairo_rotate)                                                                                \
    X(cairo_save)                                                                                  \
    X(cairo_scale)                                                                                 \
    X(cairo_scaled_font_destroy)                                                                   \
    X(cairo_scaled_font_get_font_face)                                                             \
    X(cairo_scaled_font_glyph_extents)                                                             \
    X(cairo_scaled_font_reference)                                                                 \
    X(cairo_scaled_font_text_to_glyphs)                                                            \
    X(cairo_set_dash)                                                                              \
    X(cairo_set_fill_rule)                                                                         \
    X(cairo_set_font_face)                                                                         \
    X(cairo_set_font_size)                                                                         \
    X(cairo_set_line_join)                                                                         \
    X(cairo_set_line_width)                                                                        \
    X(cairo_set_source_rgb)                                                                        \
    X(cairo_show_page)                                                                             \
    X(cairo_show_text_glyphs)                                                                      \
    X(cairo_status)                                                                                \
    X(cairo_status_to_string)                                                                      \
    X(cairo_stroke)                                                                                \
    X(cairo_surface_destroy)                                                                       \
    X(cairo_surface_finish)                                                                        \
    X(cairo_surface_status)                                                                        \
    X(cairo_tag_begin)                                                                             \
    X(cairo_tag_end)                                                                               \
    X(cairo_translate)                                                                             \
    X(g_object_unref)                                                                              \
    X(g_type_check_instance_cast)                                                                  \
    X(pango_cairo_context_set_font_options)                                                        \
    X(pango_cairo_context_set_resolution)                                                          \
    X(pango_cairo_font_get_scaled_font)                                                            \
    X(pango_cairo_font_get_type)                                                                   \
    X(pango_cairo_font_map_get_type)                                                               \
    X(pango_cairo_font_map_new)                                                                    \
    X(pango_cairo_font_map_set_resolution)                                                         \
    X(pango_cairo_show_glyph_item)                                                                 \
    X(pango_context_set_language)                                                                  \
    X(pango_context_set_round_glyph_positions)                                                     \
    X(pango_font_description_free)                                                                 \
    X(pango_font_description_from_string)                                                          \
    X(pango_font_description_set_size)                                                             \
    X(pango_font_description_set_weight)                                                           \
    X(pango_font_map_create_context)                                                               \
    X(pango_font_map_load_font)                                                                    \
    X(pango_glyph_item_iter_init_start)                                                            \
    X(pango_glyph_item_iter_next_cluster)                                                          \
    X(pango_glyph_string_get_width)                                                                \
    X(pango_language_from_string)                                                                  \
    X(pango_layout_get_direction)                                                                  \
    X(pango_layout_get_extents)                                                                    \
    X(pango_layout_get_line_count)                                                                 \
    X(pango_layout_get_line_readonly)                                                              \
    X(pango_layout_get_text)                                                                       \
    X(pango_layout_line_get_extents)                                                               \
    X(pango_layout_new)                                                                            \
    X(pango_layout_set_ellipsize)                                                                  \
    X(pango_layout_set_font_description)                                                           \
    X(pango_layout_set_height)                                                                     \
    X(pango_layout_set_text)                                                                       \
    X(pango_layout_set_width)                                                                      \
    X(pango_layout_set_wrap)

#define VC_PDF_LIBRARY_FIELD(name) __typeof__(name) *name;
extern struct vc_pdf_library {
    VC_PDF_LIBRARY(VC_PDF_LIBRARY_FIELD)
} vc_pdf_library;
#undef VC_PDF_LIBRARY_FIELD

#ifndef VC_PDF_LIBRARY_NAMES /* the names as they are, for who fills the table */

#define cairo_arc                            vc_pdf_library.cairo_arc
#define cairo_close_path                     vc_pdf_library.cairo_close_path
#define cairo_create                         vc_pdf_library.cairo_create
#define cairo_destroy                        vc_pdf_library.cairo_destroy
#define cairo_fill                           vc_pdf_library.cairo_fill
#define cairo_fill_preserve                  vc_pdf_library.cairo_fill_preserve
#define cairo_font_face_destroy              vc_pdf_library.cairo_font_face_destroy
#define cairo_font_face_reference            vc_pdf_library.cairo_font_face_reference
#define cairo_font_options_create            vc_pdf_library.cairo_font_options_create
#define cairo_font_options_destroy           vc_pdf_library.cairo_font_options_destroy
#define cairo_font_options_set_antialias     vc_pdf_library.cairo_font_options_set_antialias
#define cairo_font_options_set_hint_metrics  vc_pdf_library.cairo_font_options_set_hint_metrics
#define cairo_font_options_set_hint_style    vc_pdf_library.cairo_font_options_set_hint_style
#define cairo_glyph_free                     vc_pdf_library.cairo_glyph_free
#define cairo_line_to                        vc_pdf_library.cairo_line_to
#define cairo_move_to                        vc_pdf_library.cairo_move_to
#define cairo_new_sub_path                   vc_pdf_library.cairo_new_sub_path
#define cairo_pdf_surface_add_outline        vc_pdf_library.cairo_pdf_surface_add_outline
#define cairo_pdf_surface_create_for_stream  vc_pdf_library.cairo_pdf_surface_create_for_stream
#define cairo_pdf_surface_set_metadata       vc_pdf_library.cairo_pdf_surface_set_metadata
#define cairo_pdf_surface_set_size           vc_pdf_library.cairo_pdf_surface_set_size
#define cairo_rectangle                      vc_pdf_library.cairo_rectangle
#define cairo_restore                        vc_pdf_library.cairo_restore
#define cairo_rotate                         vc_pdf_library.cairo_rotate
#define cairo_save                           vc_pdf_library.cairo_save
#define cairo_scale                          vc_pdf_library.cairo_scale
#define cairo_scaled_font_destroy            vc_pdf_library.cairo_scaled_font_destroy
#define cairo_scaled_font_get_font_face      vc_pdf_library.cairo_scaled_font_get_font_face
#define cairo_scaled_font_glyph_extents      vc_pdf_library.cairo_scaled_font_glyph_extents
#define cairo_scaled_font_reference          vc_pdf_library.cairo_scaled_font_reference
#define cairo_scaled_font_text_to_glyphs     vc_pdf_library.cairo_scaled_font_text_to_glyphs
#define cairo_set_dash                       vc_pdf_library.cairo_set_dash
#define cairo_set_fill_rule                  vc_pdf_library.cairo_set_fill_rule
#define cairo_set_font_face                  vc_pdf_library.cairo_set_font_face
#define cairo_set_font_size                  vc_pdf_library.cairo_set_font_size
#define cairo_set_line_join                  vc_pdf_library.cairo_set_line_join
#define cairo_set_line_width                 vc_pdf_library.cairo_set_line_width
#define cairo_set_source_rgb                 vc_pdf_library.cairo_set_source_rgb
#define cairo_show_page                      vc_pdf_library.cairo_show_page
#define cairo_show_text_glyphs               vc_pdf_library.cairo_show_text_glyphs
#define cairo_status                         vc_pdf_library.cairo_status
#define cairo_status_to_string               vc_pdf_library.cairo_status_to_string
#define cairo_stroke                         vc_pdf_library.cairo_stroke
#define cairo_surface_destroy                vc_pdf_library.cairo_surface_destroy
#define cairo_surface_finish                 vc_pdf_library.cairo_surface_finish
#define cairo_surface_status                 vc_pdf_library.cairo_surface_status
#define cairo_tag_begin                      vc_pdf_library.cairo_tag_begin
#define cairo_tag_end                        vc_pdf_library.cairo_tag_end
#define cairo_translate                      vc_pdf_library.cairo_translate
#define g_object_unref                       vc_pdf_library.g_object_unref
#define g_type_check_instance_cast           vc_pdf_library.g_type_check_instance_cast
#define pango_cairo_context_set_font_options vc_pdf_library.pango_cairo_context_set_font_options
#define pango_cairo_context_set_resolution   vc_pdf_library.pango_cairo_context_set_resolution
#define pango_cairo_font_get_scaled_font     vc_pdf_library.pango_cairo_font_get_scaled_font
#define pango_cairo_font_get_type            vc_pdf_library.pango_cairo_font_get_type
#define pango_cairo_font_map_get_type        vc_pdf_library.pango_cairo_font_map_get_type
#define pango_cairo_font_map_new             vc_pdf_library.pango_cairo_font_map_new
#define pango_cairo_font_map_set_resolution  vc_pdf_library.pango_cairo_font_map_set_resolution
#define pango_cairo_show_glyph_item          vc_pdf_library.pango_cairo_show_glyph_item
#define pango_context_set_language           vc_pdf_library.pango_context_set_language
#define pango_context_set_round_glyph_positions                                                    \
    vc_pdf_library.pango_context_set_round_glyph_positions
#define pango_font_description_free        vc_pdf_library.pango_font_description_free
#define pango_font_description_from_string vc_pdf_library.pango_font_description_from_string
#define pango_font_description_set_size    vc_pdf_library.pango_font_description_set_size
#define pango_font_description_set_weight  vc_pdf_library.pango_font_description_set_weight
#define pango_font_map_create_context      vc_pdf_library.pango_font_map_create_context
#define pango_font_map_load_font           vc_pdf_library.pango_font_map_load_font
#define pango_glyph_item_iter_init_start   vc_pdf_library.pango_glyph_item_iter_init_start
#define pango_glyph_item_iter_next_cluster vc_pdf_library.pango_glyph_item_iter_next_cluster
#define pango_glyph_string_get_width       vc_pdf_library.pango_glyph_string_get_width
#define pango_language_from_string         vc_pdf_library.pango_language_from_string
#define pango_layout_get_direction         vc_pdf_library.pango_layout_get_direction
#define pango_layout_get_extents           vc_pdf_library.pango_layout_get_extents
#define pango_layout_get_line_count        vc_pdf_library.pango_layout_get_line_count
#define pango_layout_get_line_readonly     vc_pdf_library.pango_layout_get_line_readonly
#define pango_layout_get_text              vc_pdf_library.pango_layout_get_text
#define pango_layout_line_get_extents      vc_pdf_library.pango_layout_line_get_extents
#define pango_layout_new                   vc_pdf_library.pango_layout_new
#define pango_layout_set_ellipsize         vc_pdf_library.pango_layout_set_ellipsize
#define pango_layout_set_font_description  vc_pdf_library.pango_layout_set_font_description
#define pango_layout_set_height            vc_pdf_library.pango_layout_set_height
#define pango_layout_set_text              vc_pdf_library.pango_layout_set_text
#define pango_layout_set_width             vc_pdf_library.pango_layout_set_width
#define pango_layout_set_wrap              vc_pdf_library.pango_layout_set_wrap
#endif

#endif

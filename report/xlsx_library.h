/* libxlsxwriter, loaded when the first workbook is made.
 *
 * Linked as usual it and the libraries that it needs itself (libcrypto, minizip) would be loaded by
 * every start of vcube, which most often makes no workbook: half as long again. So its functions
 * are called through a table. A machine without the library makes all other formats.
 *
 * Include this in place of its header. A function that is not in both lists below does not link.
 * Threads: any.
 */
#ifndef REPORT_XLSX_LIBRARY_H
#define REPORT_XLSX_LIBRARY_H

#include "base/status.h"

#include <xlsxwriter.h>

/* Load it, the first time: of the version whose header this is, as its structures are looked into.
 * VC_STORAGE, code "output", when it is not there. */
vc_status vc_xlsx_library_open(vc_error *error);

#define VC_XLSX_LIBRARY(X)                                                                         \
    X(chart_add_series)                                                                            \
    X(chart_axis_major_gridlines_set_line)                                                         \
    X(chart_axis_major_gridlines_set_visible)                                                      \
    X(chart_axis_set_crossing_max)                                                                 \
    X(chart_axis_set_label_position)                                                               \
    X(chart_axis_set_log_base)                                                                     \
    X(chart_axis_set_max)                                                                          \
    X(chart_axis_set_min)                                                                          \
    X(chart_axis_set_name)                                                                         \
    X(chart_axis_set_num_format)                                                                   \
    X(chart_axis_set_reverse)                                                                      \
    X(chart_legend_set_position)                                                                   \
    X(chart_series_set_categories)                                                                 \
    X(chart_series_set_fill)                                                                       \
    X(chart_series_set_line)                                                                       \
    X(chart_series_set_marker_fill)                                                                \
    X(chart_series_set_marker_line)                                                                \
    X(chart_series_set_marker_size)                                                                \
    X(chart_series_set_marker_type)                                                                \
    X(chart_series_set_name)                                                                       \
    X(chart_series_set_name_range)                                                                 \
    X(chart_series_set_values)                                                                     \
    X(chart_title_off)                                                                             \
    X(chart_title_set_name)                                                                        \
    X(chart_title_set_name_font)                                                                   \
    X(format_set_align)                                                                            \
    X(format_set_bg_color)                                                                         \
    X(format_set_bold)                                                                             \
    X(format_set_bottom)                                                                           \
    X(format_set_bottom_color)                                                                     \
    X(format_set_font_color)                                                                       \
    X(format_set_font_size)                                                                        \
    X(format_set_indent)                                                                           \
    X(format_set_num_format)                                                                       \
    X(format_set_text_wrap)                                                                        \
    X(format_set_top)                                                                              \
    X(format_set_top_color)                                                                        \
    X(format_set_underline)                                                                        \
    X(lxw_workbook_free)                                                                           \
    X(workbook_add_chart)                                                                          \
    X(workbook_add_format)                                                                         \
    X(workbook_add_worksheet)                                                                      \
    X(workbook_close)                                                                              \
    X(workbook_new_opt)                                                                            \
    X(workbook_set_properties)                                                                     \
    X(worksheet_autofilter)                                                                        \
    X(worksheet_fit_to_pages)                                                                      \
    X(worksheet_freeze_panes)                                                                      \
    X(worksheet_gridlines)                                                                         \
    X(worksheet_insert_chart_opt)                                                                  \
    X(worksheet_merge_range)                                                                       \
    X(worksheet_repeat_columns)                                                                    \
    X(worksheet_repeat_rows)                                                                       \
    X(worksheet_set_column)                                                                        \
    X(worksheet_set_footer)                                                                        \
    X(worksheet_set_landscape)                                                                     \
    X(worksheet_set_paper)                                                                         \
    X(worksheet_set_print_scale)                                                                   \
    X(worksheet_set_row)                                                                           \
    X(worksheet_write_blank)                                                                       \
    X(worksheet_write_comment_opt)                                                                 \
    X(worksheet_write_number)                                                                      \
    X(worksheet_write_string)                                                                      \
    X(worksheet_write_url_opt)

#define VC_XLSX_LIBRARY_FIELD(name) __typeof__(name) *name;
extern struct vc_xlsx_library {
    VC_XLSX_LIBRARY(VC_XLSX_LIBRARY_FIELD)
} vc_xlsx_library;
#undef VC_XLSX_LIBRARY_FIELD

#ifndef VC_XLSX_LIBRARY_NAMES /* the names as they are, for who fills the table */

#define chart_add_series                    vc_xlsx_library.chart_add_series
#define chart_axis_major_gridlines_set_line vc_xlsx_library.chart_axis_major_gridlines_set_line
#define chart_axis_major_gridlines_set_visible                                                     \
    vc_xlsx_library.chart_axis_major_gridlines_set_visible
#define chart_axis_set_crossing_max   vc_xlsx_library.chart_axis_set_crossing_max
#define chart_axis_set_label_position vc_xlsx_library.chart_axis_set_label_position
#define chart_axis_set_log_base       vc_xlsx_library.chart_axis_set_log_base
#define chart_axis_set_max            vc_xlsx_library.chart_axis_set_max
#define chart_axis_set_min            vc_xlsx_library.chart_axis_set_min
#define chart_axis_set_name           vc_xlsx_library.chart_axis_set_name
#define chart_axis_set_num_format     vc_xlsx_library.chart_axis_set_num_format
#define chart_axis_set_reverse        vc_xlsx_library.chart_axis_set_reverse
#define chart_legend_set_position     vc_xlsx_library.chart_legend_set_position
#define chart_series_set_categories   vc_xlsx_library.chart_series_set_categories
#define chart_series_set_fill         vc_xlsx_library.chart_series_set_fill
#define chart_series_set_line         vc_xlsx_library.chart_series_set_line
#define chart_series_set_marker_fill  vc_xlsx_library.chart_series_set_marker_fill
#define chart_series_set_marker_line  vc_xlsx_library.chart_series_set_marker_line
#define chart_series_set_marker_size  vc_xlsx_library.chart_series_set_marker_size
#define chart_series_set_marker_type  vc_xlsx_library.chart_series_set_marker_type
#define chart_series_set_name         vc_xlsx_library.chart_series_set_name
#define chart_series_set_name_range   vc_xlsx_library.chart_series_set_name_range
#define chart_series_set_values       vc_xlsx_library.chart_series_set_values
#define chart_title_off               vc_xlsx_library.chart_title_off
#define chart_title_set_name          vc_xlsx_library.chart_title_set_name
#define chart_title_set_name_font     vc_xlsx_library.chart_title_set_name_font
#define format_set_align              vc_xlsx_library.format_set_align
#define format_set_bg_color           vc_xlsx_library.format_set_bg_color
#define format_set_bold               vc_xlsx_library.format_set_bold
#define format_set_bottom             vc_xlsx_library.format_set_bottom
#define format_set_bottom_color       vc_xlsx_library.format_set_bottom_color
#define format_set_font_color         vc_xlsx_library.format_set_font_color
#define format_set_font_size          vc_xlsx_library.format_set_font_size
#define format_set_indent             vc_xlsx_library.format_set_indent
#define format_set_num_format         vc_xlsx_library.format_set_num_format
#define format_set_text_wrap          vc_xlsx_library.format_set_text_wrap
#define format_set_top                vc_xlsx_library.format_set_top
#define format_set_top_color          vc_xlsx_library.format_set_top_color
#define format_set_underline          vc_xlsx_library.format_set_underline
#define lxw_workbook_free             vc_xlsx_library.lxw_workbook_free
#define workbook_add_chart            vc_xlsx_library.workbook_add_chart
#define workbook_add_format           vc_xlsx_library.workbook_add_format
#define workbook_add_worksheet        vc_xlsx_library.workbook_add_worksheet
#define workbook_close                vc_xlsx_library.workbook_close
#define workbook_new_opt              vc_xlsx_library.workbook_new_opt
#define workbook_set_properties       vc_xlsx_library.workbook_set_properties
#define worksheet_autofilter          vc_xlsx_library.worksheet_autofilter
#define worksheet_fit_to_pages        vc_xlsx_library.worksheet_fit_to_pages
#define worksheet_freeze_panes        vc_xlsx_library.worksheet_freeze_panes
#define worksheet_gridlines           vc_xlsx_library.worksheet_gridlines
#define worksheet_insert_chart_opt    vc_xlsx_library.worksheet_insert_chart_opt
#define worksheet_merge_range         vc_xlsx_library.worksheet_merge_range
#define worksheet_repeat_columns      vc_xlsx_library.worksheet_repeat_columns
#define worksheet_repeat_rows         vc_xlsx_library.worksheet_repeat_rows
#define worksheet_set_column          vc_xlsx_library.worksheet_set_column
#define worksheet_set_footer          vc_xlsx_library.worksheet_set_footer
#define worksheet_set_landscape       vc_xlsx_library.worksheet_set_landscape
#define worksheet_set_paper           vc_xlsx_library.worksheet_set_paper
#define worksheet_set_print_scale     vc_xlsx_library.worksheet_set_print_scale
#define worksheet_set_row             vc_xlsx_library.worksheet_set_row
#define worksheet_write_blank         vc_xlsx_library.worksheet_write_blank
#define worksheet_write_comment_opt   vc_xlsx_library.worksheet_write_comment_opt
#define worksheet_write_number        vc_xlsx_library.worksheet_write_number
#define worksheet_write_string        vc_xlsx_library.worksheet_write_string
#define worksheet_write_url_opt       vc_xlsx_library.worksheet_write_url_opt
#endif

#endif

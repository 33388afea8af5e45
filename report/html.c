/* A document as one page of HTML that needs nothing else: styles are in it, pictures are SVG in it,
 * there are no scripts, and a policy in its head forbids to load or run anything. */
#include "report/html_parts.h"
#include "report/writers.h"

/* The file as it is, ended with NUL. Its path is relative to where the compiler is started. */
__asm__(".pushsection .rodata\n"
        ".global vc_html_styles\n"
        ".type vc_html_styles, %object\n"
        "vc_html_styles:\n"
        ".incbin \"report/html.css\"\n"
        ".byte 0\n"
        ".size vc_html_styles, . - vc_html_styles\n"
        ".popsection\n");

extern const char vc_html_styles[];

static void put_text(vc_html *html, const char *text)
{
    vc_buffer_put_text(&html->blocks.buffer, text);
}

static void put(vc_html *html, vc_str text)
{
    vc_html_put(&html->blocks.buffer, text);
}

/* <p class="CLASS" dir="auto">TEXT</p>, nothing when the text is empty. `tag` has the class. */
static void put_element(vc_html *html, const char *tag, const char *attributes, vc_str text)
{
    if (text.size == 0) return;
    vc_buffer_printf(&html->blocks.buffer, "<%s dir=\"auto\"%s>", tag, attributes);
    put(html, text);
    vc_buffer_printf(&html->blocks.buffer, "</%s>\n", tag);
}

static void put_count(vc_html *html, uint64_t count)
{
    char text[VC_NUMBER_TEXT];
    vc_buffer_put(&html->blocks.buffer, text, vc_format_count(text, count));
}

/* ---- the head of the page ---- */

/* Is it written from right to left? By the language alone, without a script or region behind it. */
static bool is_right_to_left(vc_str language)
{
    static const char *const languages[] = {"ar", "arc", "ckb", "dv", "fa", "he",
                                            "ps", "sd",  "ug",  "ur", "yi"};
    vc_str primary = vc_str_split(&language, '-');
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
        if (vc_str_is(primary, languages[i])) return true;
    return false;
}

static void put_page_head(vc_html *html)
{
    const vc_document *document = html->document;
    vc_str language = document->language.size > 0 ? document->language : VC_STR("en");
    put_text(html, "<!DOCTYPE html>\n<html lang=\"");
    put(html, language);
    put_text(html, is_right_to_left(language) ? "\" dir=\"rtl\">\n" : "\">\n");
    put_text(html, "<head>\n<meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"generator\" content=\"");
    put(html, document->generator);
    put_text(html, "\">\n<title>");
    vc_html_put_shown(&html->blocks.buffer, document->title);
    put_text(html, "</title>\n<style>\n");
    put_text(html, vc_html_styles);
    put_text(html, "</style>\n</head>\n<body>\n");
}

/* Title and, of a long report, what is in it. */
static void put_beginning(vc_html *html)
{
    enum { FEW_SECTIONS = 3 };
    const vc_document *document = html->document;
    put_text(html, "<header>\n<h1 dir=\"auto\">");
    vc_html_put_shown(&html->blocks.buffer, document->title);
    put_text(html, "</h1>\n");
    put_element(html, "p", " class=\"subtitle\"", document->subtitle);
    put_element(html, "p", " class=\"about\"", document->description);
    put_text(html, "</header>\n");
    size_t ntitles = 0;
    for (size_t i = 0; i < document->nsections; i++)
        ntitles += document->sections[i].title.size > 0;
    if (ntitles <= FEW_SECTIONS) return;
    put_text(html, "<nav aria-label=\"Contents\"><ol>\n");
    for (size_t i = 0; i < document->nsections; i++) {
        const vc_section *section = &document->sections[i];
        if (section->title.size == 0) continue;
        put_text(html, "<li><a href=\"#");
        put(html, section->id);
        put_text(html, "\" dir=\"auto\">");
        put(html, section->title);
        put_text(html, "</a></li>\n");
    }
    put_text(html, "</ol></nav>\n");
}

/* ---- sections ---- */

/* How it changed: a sign for its direction, and a word where one direction is better, because a
 * colour alone says nothing to many. */
static void put_change(vc_html *html, const vc_figure *figure)
{
    static const char *const arrows[] = {"\xE2\x96\xBC", "\xE2\x96\xA0", "\xE2\x96\xB2"};
    if (figure->change.size == 0) return;
    bool is_judged = figure->has_judgement && figure->direction != 0;
    vc_buffer_printf(&html->blocks.buffer,
                     "<dd class=\"change%s\"><span aria-hidden=\"true\">%s</span> ",
                     !is_judged ? "" : (figure->is_good ? " good" : " bad"),
                     arrows[figure->direction < 0 ? 0 : (figure->direction > 0 ? 2 : 1)]);
    put_text(html, "<b dir=\"auto\">");
    put(html, figure->change);
    put_text(html, "</b>");
    if (figure->against.size > 0) {
        put_text(html, " <span dir=\"auto\">");
        put(html, figure->against);
        put_text(html, "</span>");
    }
    if (is_judged) put_text(html, figure->is_good ? ", better" : ", worse");
    put_text(html, "</dd>\n");
}

static void put_figure(vc_html *html, const vc_figure *figure)
{
    enum { LONG = 12, LONGER = 17 }; /* columns of a number that is to stay on one line */
    size_t width = vc_utf8_columns(figure->value);
    put_text(html, "<div><dt dir=\"auto\">");
    vc_html_put_shown(&html->blocks.buffer, figure->label);
    put_text(html, width >= LONGER ? "</dt>\n<dd class=\"ll\">"
                   : width >= LONG ? "</dt>\n<dd class=\"l\">"
                                   : "</dt>\n<dd>");
    if (figure->exact.size > 0) {
        put_text(html, "<data value=\"");
        put(html, figure->exact);
        put_text(html, "\">");
        put(html, figure->value);
        put_text(html, "</data>");
    } else {
        put(html, figure->value);
    }
    vc_html_put_reason(&html->blocks.buffer, figure->reason);
    if (figure->unit.size > 0) {
        put_text(html, " <small dir=\"auto\">");
        put(html, figure->unit);
        put_text(html, "</small>");
    }
    put_text(html, "</dd>\n");
    put_change(html, figure);
    put_text(html, "</div>\n");
}

static void put_figures(vc_html *html, const vc_section *section)
{
    if (section->nfigures == 0) return;
    put_text(html, "<dl class=\"cards\">\n");
    for (size_t i = 0; i < section->nfigures; i++)
        put_figure(html, &section->figures[i]);
    put_text(html, "</dl>\n");
    /* Each letter once, in the order of their first figures. */
    char seen[VC_MAX_REASONS] = {0};
    size_t nseen = 0;
    for (size_t i = 0; i < section->nfigures; i++) {
        char reason = section->figures[i].reason;
        bool is_known = reason == 0 || nseen + 1 == sizeof seen;
        for (size_t k = 0; k < nseen; k++)
            is_known |= seen[k] == reason;
        if (!is_known) seen[nseen++] = reason;
    }
    vc_html_put_legend(&html->blocks.buffer, seen);
}

static void put_picture(vc_html *html, const vc_section *section)
{
    const float width = 640; /* points, which are 853 pixels: about a page's width on a screen */
    vc_picture picture;
    vc_arena_clear(&html->arena);
    vc_status status =
        vc_chart_draw(section->chart, width, &html->arena, &picture, html->blocks.error);
    vc_str id = vc_arena_printf(&html->arena, "%.*s.picture", VC_FMT(section->id));
    if (status == VC_OK && vc_str_is_null(id)) status = vc_no_memory(html->blocks.error);
    if (status != VC_OK) {
        html->blocks.status = status;
        return;
    }
    put_text(html, "<div class=\"picture\" role=\"group\" tabindex=\"0\" aria-label=\"Picture\">");
    vc_picture_put_svg(&picture, id, &html->blocks.buffer);
    put_text(html, "</div>\n");
}

/* The picture, and the numbers behind it for who wants to read them, if they are not too many. */
static void put_chart(vc_html *html, const vc_section *section)
{
    enum { MOST_CELLS = 3000 };
    const vc_grid *grid = section->grid;
    size_t ncells = grid->nrows * grid->ncolumns;
    put_text(html, "<figure>\n");
    put_element(html, "figcaption", "", grid->caption);
    put_picture(html, section);
    put_text(html, "</figure>\n");
    if (ncells == 0 || html->blocks.status != VC_OK) return;
    put_text(html, "<details><summary>The numbers of this picture</summary>\n");
    if (ncells > MOST_CELLS) {
        put_text(html, "<p>They are ");
        put_count(html, ncells);
        put_text(html, ", too many for a page: they are in the CSV file of this part.</p>\n");
    } else {
        vc_html_put_grid(html, grid, section->id);
    }
    put_text(html, "</details>\n");
}

static void put_failure(vc_html *html, const vc_section *section)
{
    put_text(html, "<div class=\"failed\"><p><strong>This part could not be made.</strong></p>\n");
    put_element(html, "p", "", section->failure);
    if (section->query.size > 0) {
        put_text(html, "<p>Asked was <code dir=\"auto\">");
        put(html, section->query);
        put_text(html, "</code></p>\n");
    }
    put_text(html, "</div>\n");
}

static void put_section(vc_html *html, const vc_section *section)
{
    put_text(html, "<section id=\"");
    put(html, section->id);
    put_text(html, "\">\n");
    put_element(html, "h2", "", section->title);
    for (size_t i = 0; i < section->nparagraphs; i++)
        put_element(html, "p", "", section->paragraphs[i]);
    switch (section->kind) {
    case VC_SECTION_TEXT: break;
    case VC_SECTION_FIGURES: put_figures(html, section); break;
    case VC_SECTION_PIVOT: vc_html_put_grid(html, section->grid, section->id); break;
    case VC_SECTION_CHART: put_chart(html, section); break;
    case VC_SECTION_FAILED: put_failure(html, section); break;
    }
    if (section->nnotes > 0) {
        put_text(html, "<ul class=\"notes\">\n");
        for (size_t i = 0; i < section->nnotes; i++)
            put_element(html, "li", "", section->notes[i]);
        put_text(html, "</ul>\n");
    }
    put_text(html, "</section>\n");
}

/* ---- notes ---- */

static void put_coverage_row(vc_html *html, const vc_document_coverage *coverage)
{
    put_text(html, "<tr><th scope=\"row\" dir=\"auto\" class=\"a\">");
    vc_html_put_shown(&html->blocks.buffer, coverage->source);
    put_text(html, "</th><td class=\"w\" dir=\"auto\">");
    put(html, coverage->dimension);
    put_text(html, "</td><td>");
    put_count(html, coverage->keys);
    put_text(html, "</td><td>");
    put_count(html, coverage->keys_matched);
    put_text(html, "</td><td>");
    vc_document_put_share(coverage, &html->blocks.buffer);
    put_text(html, "</td><td class=\"w\" dir=\"auto\">");
    put(html, coverage->shares);
    put_text(html, "</td></tr>\n");
}

static void put_coverage(vc_html *html)
{
    if (html->document->ncoverage == 0) return;
    put_text(html, "<h3>Coverage</h3>\n"
                   "<div class=\"box\" role=\"group\" tabindex=\"0\" "
                   "aria-labelledby=\"coverage.caption\"><table>\n"
                   "<caption id=\"coverage.caption\"><span>How much of each source found its "
                   "place</span></caption>\n"
                   "<thead><tr><th scope=\"col\" class=\"a\">Source</th>"
                   "<th scope=\"col\" class=\"w\">Joined on</th>"
                   "<th scope=\"col\">Keys</th><th scope=\"col\">Matched</th>"
                   "<th scope=\"col\">Share</th><th scope=\"col\" class=\"w\">Of the values</th>"
                   "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < html->document->ncoverage && vc_blocks_next(&html->blocks); i++)
        put_coverage_row(html, &html->document->coverage[i]);
    put_text(html, "</tbody></table></div>\n");
}

static void put_notices(vc_html *html)
{
    if (html->document->nnotices == 0) return;
    put_text(html, "<h3>Notices</h3>\n<ul>\n");
    for (size_t i = 0; i < html->document->nnotices && vc_blocks_next(&html->blocks); i++)
        put_element(html, "li", "", html->document->notices[i]);
    put_text(html, "</ul>\n");
}

static void put_sources(vc_html *html)
{
    if (html->document->nsources == 0) return;
    put_text(html, "<h3>Sources</h3>\n<ul>\n");
    for (size_t i = 0; i < html->document->nsources && vc_blocks_next(&html->blocks); i++) {
        const vc_document_source *source = &html->document->sources[i];
        put_text(html, "<li><b dir=\"auto\">");
        vc_html_put_shown(&html->blocks.buffer,
                          source->label.size > 0 ? source->label : source->name);
        put_text(html, "</b> (<code dir=\"auto\">");
        put(html, source->name);
        put_text(html, "</code>)");
        if (source->source.size > 0) {
            put_text(html, ": <span dir=\"auto\">");
            vc_html_put_linked(&html->blocks.buffer, source->source);
            put_text(html, "</span>");
        }
        if (source->licence.size > 0) {
            put_text(html, ". Licence: <span dir=\"auto\">");
            vc_html_put_linked(&html->blocks.buffer, source->licence);
            put_text(html, "</span>");
        }
        put_text(html, "</li>\n");
    }
    put_text(html, "</ul>\n");
}

/* For who wants the same numbers again. */
static void put_origin(vc_html *html)
{
    const vc_document *document = html->document;
    put_text(html, "<p>Made ");
    if (document->snapshot.size > 0) {
        put_text(html, "of snapshot <code>");
        put(html, document->snapshot);
        put_text(html, "</code> ");
    }
    if (document->definition.size > 0) {
        put_text(html, "with definitions <code>");
        put(html, document->definition);
        put_text(html, "</code> ");
    }
    put_text(html, "by ");
    vc_html_put_shown(&html->blocks.buffer, document->generator);
    put_text(html, ".</p>\n");
}

static void put_notes(vc_html *html)
{
    if (!html->document->has_notes) return;
    put_text(html, "<footer>\n<h2>About these numbers</h2>\n");
    put_coverage(html);
    put_notices(html);
    put_sources(html);
    put_origin(html);
    put_text(html, "</footer>\n");
}

vc_status vc_html_write(const vc_document *document, vc_render_sink sink, vc_error *error)
{
    vc_html html = {.document = document};
    vc_blocks_init(&html.blocks, sink, error);
    put_page_head(&html);
    put_beginning(&html);
    put_text(&html, "<main>\n");
    for (size_t i = 0; i < document->nsections && vc_blocks_next(&html.blocks); i++)
        put_section(&html, &document->sections[i]);
    put_text(&html, "</main>\n");
    put_notes(&html);
    put_text(&html, "</body>\n</html>\n");
    vc_arena_release(&html.arena);
    return vc_blocks_finish(&html.blocks);
}

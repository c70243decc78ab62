/* A renderer of small documents into HTML. Not to be imitated: it has three faults, each marked, as C libraries that read
 * what strangers write have them.
 *
 *   {  }   a section        #   a heading, to the end of the line        \x   x as it is
 */

#include <stdlib.h>
#include <string.h>

enum { RENDERED = 0, NOT_CLOSED = 1, NO_MEMORY = 2 };
enum { OUTLINE_BYTES = 1 << 20 };

struct section {
    struct section *outer;
};

struct page {
    char *text;
    size_t used, room;
    int is_short;
};

static void put_bytes(struct page *page, const char *bytes, size_t count)
{
    if (page->used + count + 1 > page->room) {
        size_t room = 2 * page->room + count + 64;
        char *text = realloc(page->text, room);
        if (text == NULL) {
            page->is_short = 1;
            return;
        }
        page->text = text;
        page->room = room;
    }
    memcpy(page->text + page->used, bytes, count);
    page->used += count;
    page->text[page->used] = '\0';
}

static void put(struct page *page, const char *text)
{
    put_bytes(page, text, strlen(text));
}

static void put_escaped(struct page *page, char letter)
{
    switch (letter) {
    case '<': put(page, "&lt;"); break;
    case '>': put(page, "&gt;"); break;
    case '&': put(page, "&amp;"); break;
    default: put_bytes(page, &letter, 1);
    }
}

static const char *heading(struct page *page, const char *source)
{
    /* Fault: the outline is for a table of contents that nobody has written, and nobody frees it. */
    char *outline = malloc(OUTLINE_BYTES);
    if (outline != NULL)
        memset(outline, *source, OUTLINE_BYTES);
    put(page, "<h1>");
    while (*source != '\0' && *source != '\n')
        put_escaped(page, *source++);
    put(page, outline != NULL && outline[0] == '\0' ? " </h1>" : "</h1>");
    return source;
}

static void open_section(struct page *page, struct section **innermost)
{
    struct section *section = malloc(sizeof *section);
    if (section == NULL) {
        page->is_short = 1;
        return;
    }
    section->outer = *innermost;
    *innermost = section;
    put(page, "<section>");
}

static void close_section(struct page *page, struct section **innermost)
{
    /* Fault: that there is a section is taken for granted. */
    struct section *outer = (*innermost)->outer;
    free(*innermost);
    *innermost = outer;
    put(page, "</section>");
}

int renderer_render(const char *source, char **html)
{
    struct page page = {0};
    struct section *innermost = NULL;
    put(&page, "");
    while (*source != '\0') {
        switch (*source) {
        case '{':
            open_section(&page, &innermost);
            source++;
            break;
        case '}':
            close_section(&page, &innermost);
            source++;
            break;
        case '#':
            source = heading(&page, source + 1);
            break;
        case '\\':
            /* Fault: at the end of the document nothing is taken, again and again. */
            if (source[1] != '\0') {
                put_escaped(&page, source[1]);
                source += 2;
            }
            break;
        default:
            put_escaped(&page, *source++);
        }
    }
    if (page.is_short || innermost != NULL) {
        free(page.text);
        while (innermost != NULL) {
            struct section *outer = innermost->outer;
            free(innermost);
            innermost = outer;
        }
        return page.is_short ? NO_MEMORY : NOT_CLOSED;
    }
    *html = page.text;
    return RENDERED;
}

void renderer_free(char *html)
{
    free(html);
}

/* The tables of the bench of virtual cubes, written as CSV files.
 *
 *     virtual_generate PRODUCTS SALES DIR
 *
 * products.csv   a master list by GTIN-13: 20 departments > 400 categories > families of about 50
 * stock.csv      a fact per product
 * items.csv      the assortment as the tills know it: by a code of their own, with the GTIN written
 *                as 14 digits, with the same departments, categories and families, and by 50
 *                shelves. One product of a hundred has no item
 * stores.csv     500 stores in 12 regions
 * sales.csv      facts by item, store and day, in order of the day over three years; some items
 *                sell much more than others
 * listings.csv   as many listings as products in 50 themes, for half of the products: a GTIN has
 *                none, one, or several, in one theme or several
 */
#include "bench/generate.h"

#include <stdbool.h>

enum {
    NDEPARTMENTS = 20,
    NCATEGORIES = 400,
    NREGIONS = 12,
    NSTORES = 500,
    NTHEMES = 50,
    NSHELVES = 50
};
enum { FIRST_YEAR = 2022, NYEARS = 3, MAX_DAYS = 366 * NYEARS };

enum table { PRODUCT = 1, SALE, LISTING };

static uint64_t nproducts, nsales, nfamilies;

/* ---- products ---- */

struct product {
    uint64_t family, price, stock, shelf;
};

static struct product product_of(uint64_t number)
{
    uint64_t state = seed_row(PRODUCT, number);
    return (struct product){
        .family = between(&state, 0, (uint32_t)nfamilies - 1),
        .price = between(&state, 99, 19999),
        .stock = between(&state, 0, 500),
        .shelf = between(&state, 0, NSHELVES - 1),
    };
}

/* Products without an item come last in every hundred. */
static bool has_item(uint64_t number)
{
    return number % 100 != 99;
}

static void put_digits(struct file *file, uint64_t value, unsigned ndigits)
{
    for (unsigned i = ndigits; i-- > 0; value /= 10)
        file->at[i] = (char)('0' + value % 10);
    file->at += ndigits;
}

/* A prefix, nine digits that are a permutation of the number, and the check digit. */
static void put_gtin13(struct file *file, uint64_t number)
{
    const char *digits = file->at;
    put_digits(file, 400, 3);
    put_digits(file, (number * UINT64_C(387420489) + 104729) % 1000000000, 9);
    unsigned sum = 0;
    for (unsigned i = 0; i < 12; i++)
        sum += (unsigned)(digits[i] - '0') * (i % 2 == 1 ? 3 : 1);
    put_digits(file, (10 - sum % 10) % 10, 1);
}

static void put_item(struct file *file, uint64_t number)
{
    put_text(file, "I");
    put_digits(file, (number * UINT64_C(129140163) + 7919) % 1000000000, 9);
    comma(file);
}

/* Department, category, family: D07,C0153,F012345. */
static void put_groups(struct file *file, uint64_t family)
{
    uint64_t category = family * NCATEGORIES / nfamilies;
    put_text(file, "D");
    put_digits(file, category * NDEPARTMENTS / NCATEGORIES, 2);
    put_text(file, ",C");
    put_digits(file, category, 4);
    put_text(file, ",F");
    put_digits(file, family, 7);
}

static void write_products(const char *directory)
{
    struct file *file = file_new(directory, "products.csv", "gtin,department,category,family,name");
    for (uint64_t number = 0; number < nproducts; number++) {
        begin_row(file);
        put_gtin13(file, number);
        comma(file);
        put_groups(file, product_of(number).family);
        put_text(file, ",Product ");
        put_number(file, number);
        end_row(file);
    }
    file_close(file);
}

static void write_stock(const char *directory)
{
    struct file *file = file_new(directory, "stock.csv", "gtin,stock");
    for (uint64_t number = 0; number < nproducts; number++) {
        begin_row(file);
        put_gtin13(file, number);
        comma(file);
        put_number(file, product_of(number).stock);
        end_row(file);
    }
    file_close(file);
}

static void write_items(const char *directory)
{
    struct file *file =
        file_new(directory, "items.csv", "item,gtin14,department,category,family,shelf");
    for (uint64_t number = 0; number < nproducts; number++) {
        if (!has_item(number)) continue;
        struct product product = product_of(number);
        begin_row(file);
        put_item(file, number);
        put_text(file, "0");
        put_gtin13(file, number);
        comma(file);
        put_groups(file, product.family);
        put_text(file, ",H");
        put_digits(file, product.shelf, 2);
        end_row(file);
    }
    file_close(file);
}

static void write_listings(const char *directory)
{
    struct file *file = file_new(directory, "listings.csv", "listing,theme,gtin,clicks");
    for (uint64_t number = 0; number < nproducts; number++) {
        uint64_t state = seed_row(LISTING, number);
        begin_row(file);
        number_field(file, number + 1);
        put_text(file, "T");
        put_digits(file, between(&state, 0, NTHEMES - 1), 2);
        comma(file);
        put_gtin13(file, between(&state, 0, (uint32_t)(nproducts / 2 - 1)) * 2);
        comma(file);
        put_number(file, between(&state, 0, 999));
        end_row(file);
    }
    file_close(file);
}

/* ---- sales ---- */

static char day_texts[MAX_DAYS][11]; /* "2022-01-31" */
static uint64_t ndays;

static void make_days(void)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (unsigned year = FIRST_YEAR; year < FIRST_YEAR + NYEARS; year++)
        for (unsigned month = 0; month < 12; month++)
            for (unsigned day = 1; day <= lengths[month] + (month == 1 && year % 4 == 0); day++)
                snprintf(day_texts[ndays++], sizeof day_texts[0], "%u-%02u-%02u", year % 10000,
                         month + 1, day % 100);
}

static void put_store(struct file *file, uint64_t store)
{
    put_text(file, "S");
    put_digits(file, store, 3);
    comma(file);
}

static void write_stores(const char *directory)
{
    struct file *file = file_new(directory, "stores.csv", "store,region");
    for (uint64_t store = 0; store < NSTORES; store++) {
        begin_row(file);
        put_store(file, store);
        put_text(file, "R");
        put_digits(file, store * 7 % NREGIONS, 2);
        end_row(file);
    }
    file_close(file);
}

/* The product of two uniform numbers prefers low ranks; the prime spreads ranks over products. */
static uint64_t draw_product(uint64_t *state)
{
    uint64_t rank = between(state, 0, between(state, 0, (uint32_t)nproducts - 1));
    uint64_t number = rank * 1000003 % nproducts;
    return has_item(number) ? number : number - 1;
}

static void write_sales(const char *directory)
{
    struct file *file = file_new(directory, "sales.csv", "item,store,day,units,revenue");
    for (uint64_t sale = 0; sale < nsales; sale++) {
        uint64_t state = seed_row(SALE, sale);
        uint64_t number = draw_product(&state), units = between(&state, 1, 12);
        begin_row(file);
        put_item(file, number);
        put_store(file, between(&state, 0, NSTORES - 1));
        text_field(file, day_texts[sale * ndays / nsales]);
        number_field(file, units);
        put_number(file, units * product_of(number).price);
        end_row(file);
    }
    file_close(file);
}

static bool read_count(const char *text, uint64_t least, uint64_t most, uint64_t *count_out)
{
    char *end = NULL;
    *count_out = strtoull(text, &end, 10);
    return *end == '\0' && *count_out >= least && *count_out <= most;
}

int main(int argc, char **argv)
{
    if (argc != 4 || !read_count(argv[1], NCATEGORIES, 100000000, &nproducts) ||
        !read_count(argv[2], 1, UINT64_C(100000000000), &nsales)) {
        fprintf(stderr, "usage: virtual_generate PRODUCTS SALES DIR      (400 to 100,000,000 "
                        "products, 1 to 100,000,000,000 sales)\n");
        return 2;
    }
    nfamilies = nproducts / 50 / NCATEGORIES * NCATEGORIES;
    if (nfamilies == 0) nfamilies = NCATEGORIES;
    make_days();
    write_products(argv[3]);
    write_stock(argv[3]);
    write_items(argv[3]);
    write_stores(argv[3]);
    write_sales(argv[3]);
    write_listings(argv[3]);
    return 0;
}

/* The tables of the Star Schema Benchmark, written as CSV files.
 *
 *     ssb_generate SCALE DIR        lineorder.csv customer.csv supplier.csv part.csv date.csv
 *
 * After O'Neil, O'Neil, Chen, "Star Schema Benchmark", revision 3, 2009. What the paper leaves to
 * TPC-H (how prices, dates and texts are drawn) follows TPC-H; money is in whole cents. Beyond the
 * paper: scale factors below 1 (parts then scale linearly too, and customers, suppliers and parts
 * are at least 250), order keys without gaps, and a column lo_discounted = lo_extendedprice *
 * lo_discount, the product that Q1 adds up.
 */
#include "bench/generate.h"

#include <math.h>
#include <stdbool.h>

enum { NNATIONS = 25, NCITIES = 10 * NNATIONS, FIRST_YEAR = 1992, LAST_YEAR = 1998, MAX_LINES = 7 };
enum { NORDER_DAYS = 2406 }; /* 1992-01-01 to 1998-08-02, so that all lines are delivered by 1998 */
enum { NDAYS = 2557 };

static const char *const regions[] = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};

static const struct nation {
    const char *name;
    unsigned region;
} nations[NNATIONS] = {
    {"ALGERIA", 0},       {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1},
    {"EGYPT", 4},         {"ETHIOPIA", 0},  {"FRANCE", 3}, {"GERMANY", 3},
    {"INDIA", 2},         {"INDONESIA", 2}, {"IRAN", 4},   {"IRAQ", 4},
    {"JAPAN", 2},         {"JORDAN", 4},    {"KENYA", 0},  {"MOROCCO", 0},
    {"MOZAMBIQUE", 0},    {"PERU", 1},      {"CHINA", 2},  {"ROMANIA", 3},
    {"SAUDI ARABIA", 4},  {"VIETNAM", 2},   {"RUSSIA", 3}, {"UNITED KINGDOM", 3},
    {"UNITED STATES", 1},
};

static const char *const colours[] = {
    "almond",   "antique",   "aquamarine", "azure",      "beige",     "bisque",    "black",
    "blanched", "blue",      "blush",      "brown",      "burlywood", "burnished", "chartreuse",
    "chiffon",  "chocolate", "coral",      "cornflower", "cornsilk",  "cream",     "cyan",
    "dark",     "deep",      "dim",        "dodger",     "drab",      "firebrick", "floral",
    "forest",   "frosted",   "gainsboro",  "ghost",      "goldenrod", "green",     "grey",
    "honeydew", "hot",       "indian",     "ivory",      "khaki",     "lace",      "lavender",
    "lawn",     "lemon",     "light",      "lime",       "linen",     "magenta",   "maroon",
    "medium",   "metallic",  "midnight",   "mint",       "misty",     "moccasin",  "navajo",
    "navy",     "olive",     "orange",     "orchid",     "pale",      "papaya",    "peach",
    "peru",     "pink",      "plum",       "powder",     "puff",      "purple",    "red",
    "rose",     "rosy",      "royal",      "saddle",     "salmon",    "sandy",     "seashell",
    "sienna",   "sky",       "slate",      "smoke",      "snow",      "spring",    "steel",
    "tan",      "thistle",   "tomato",     "turquoise",  "violet",    "wheat",     "white",
    "yellow"};

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum table { LINEORDER = 1, CUSTOMER, SUPPLIER, PART };

/* ---- the date dimension ---- */

struct day {
    unsigned year, month, day, of_year, of_week; /* of_week: 0 is Sunday */
    unsigned month_days;
    uint32_t key; /* 19920131 */
};

static struct day days[NDAYS];

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return lengths[month - 1] + (month == 2 && is_leap);
}

static void make_days(void)
{
    unsigned of_week = 3, n = 0; /* 1992-01-01 was a Wednesday */
    for (unsigned year = FIRST_YEAR; year <= LAST_YEAR; year++)
        for (unsigned month = 1, of_year = 1; month <= 12; month++)
            for (unsigned day = 1; day <= days_of_month(year, month); day++, of_year++) {
                days[n++] = (struct day){.year = year,
                                         .month = month,
                                         .day = day,
                                         .of_year = of_year,
                                         .of_week = of_week,
                                         .month_days = days_of_month(year, month),
                                         .key = year * 10000 + month * 100 + day};
                of_week = (of_week + 1) % 7;
            }
}

static const char *season_of(const struct day *day)
{
    if (day->month == 12 || (day->month == 11 && day->day > 24)) return "Christmas";
    return day->month <= 2   ? "Winter"
           : day->month <= 5 ? "Spring"
           : day->month <= 8 ? "Summer"
                             : "Fall";
}

static bool is_holiday(const struct day *day)
{
    static const unsigned holidays[] = {101, 214, 317, 501, 704, 904, 1031, 1111, 1225, 1231};
    for (size_t i = 0; i < COUNT(holidays); i++)
        if (day->month * 100 + day->day == holidays[i]) return true;
    return false;
}

static void write_dates(const char *directory)
{
    static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                           "Thursday", "Friday", "Saturday"};
    struct file *file = file_new(
        directory, "date.csv",
        "d_datekey,d_date,d_dayofweek,d_month,d_year,d_yearmonthnum,d_yearmonth,d_daynuminweek,"
        "d_daynuminmonth,d_daynuminyear,d_monthnuminyear,d_weeknuminyear,d_sellingseason,"
        "d_lastdayinweekfl,d_lastdayinmonthfl,d_holidayfl,d_weekdayfl");
    for (unsigned i = 0; i < NDAYS; i++) {
        const struct day *day = &days[i];
        begin_row(file);
        number_field(file, day->key);
        file->at +=
            sprintf(file->at, "\"%s %u, %u\",", months[day->month - 1], day->day, day->year);
        text_field(file, weekdays[day->of_week]);
        text_field(file, months[day->month - 1]);
        number_field(file, day->year);
        number_field(file, day->year * 100 + day->month);
        file->at += sprintf(file->at, "%.3s%u,", months[day->month - 1], day->year);
        number_field(file, day->of_week + 1);
        number_field(file, day->day);
        number_field(file, day->of_year);
        number_field(file, day->month);
        number_field(file, (day->of_year - 1) / 7 + 1);
        text_field(file, season_of(day));
        number_field(file, day->of_week == 6);
        number_field(file, day->day == day->month_days);
        number_field(file, is_holiday(day));
        put_number(file, day->of_week >= 1 && day->of_week <= 5);
        end_row(file);
    }
    file_close(file);
}

/* ---- customers and suppliers ---- */

/* Ten to 25 letters, digits and blanks, as addresses. */
static void address_field(struct file *file, uint64_t *random)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -";
    uint32_t length = between(random, 10, 25);
    for (uint32_t i = 0; i < length; i++)
        *file->at++ = letters[between(random, 0, sizeof letters - 2)];
    comma(file);
}

/* City (nine bytes of the nation, padded with blanks, and a digit), nation, region, phone. The
 * first rows go through all cities, so that none that a query names is missing at a small scale. */
static void place_fields(struct file *file, uint64_t key, uint64_t *random)
{
    uint32_t place = between(random, 0, NCITIES - 1);
    if (key <= NCITIES) place = (uint32_t)key - 1;
    uint32_t nation = place / 10, city = place % 10;
    file->at += sprintf(file->at, "%-9.9s%u,", nations[nation].name, city);
    text_field(file, nations[nation].name);
    text_field(file, regions[nations[nation].region]);
    uint32_t area = between(random, 100, 999), exchange = between(random, 100, 999);
    file->at += sprintf(file->at, "%u-%u-%u-%04u", nation + 10, area, exchange,
                        between(random, 1000, 9999));
}

static void write_customers(const char *directory, uint64_t ncustomers)
{
    static const char *const segments[] = {"AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD",
                                           "MACHINERY"};
    struct file *file =
        file_new(directory, "customer.csv",
                 "c_custkey,c_name,c_address,c_city,c_nation,c_region,c_phone,c_mktsegment");
    for (uint64_t key = 1; key <= ncustomers; key++) {
        uint64_t random = seed_row(CUSTOMER, key);
        begin_row(file);
        file->at += sprintf(file->at, "%llu,Customer#%09llu,", (unsigned long long)key,
                            (unsigned long long)key);
        address_field(file, &random);
        place_fields(file, key, &random);
        comma(file);
        put_text(file, segments[between(&random, 0, COUNT(segments) - 1)]);
        end_row(file);
    }
    file_close(file);
}

static void write_suppliers(const char *directory, uint64_t nsuppliers)
{
    struct file *file = file_new(directory, "supplier.csv",
                                 "s_suppkey,s_name,s_address,s_city,s_nation,s_region,s_phone");
    for (uint64_t key = 1; key <= nsuppliers; key++) {
        uint64_t random = seed_row(SUPPLIER, key);
        begin_row(file);
        file->at += sprintf(file->at, "%llu,Supplier#%09llu,", (unsigned long long)key,
                            (unsigned long long)key);
        address_field(file, &random);
        place_fields(file, key, &random);
        end_row(file);
    }
    file_close(file);
}

/* ---- parts ---- */

static const char *pick(uint64_t *random, const char *const *texts, size_t ntexts)
{
    return texts[between(random, 0, (uint32_t)ntexts - 1)];
}

static void write_parts(const char *directory, uint64_t nparts)
{
    static const char *const sizes[] = {"STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"};
    static const char *const finishes[] = {"ANODIZED", "BURNISHED", "PLATED", "POLISHED",
                                           "BRUSHED"};
    static const char *const materials[] = {"TIN", "NICKEL", "BRASS", "STEEL", "COPPER"};
    static const char *const wraps[] = {"SM", "MED", "LG", "JUMBO", "WRAP"};
    static const char *const boxes[] = {"CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"};
    struct file *file =
        file_new(directory, "part.csv",
                 "p_partkey,p_name,p_mfgr,p_category,p_brand1,p_color,p_type,p_size,p_container");
    for (uint64_t key = 1; key <= nparts; key++) {
        uint64_t random = seed_row(PART, key);
        begin_row(file);
        number_field(file, key);
        put_text(file, pick(&random, colours, COUNT(colours)));
        *file->at++ = ' ';
        text_field(file, pick(&random, colours, COUNT(colours)));
        uint32_t maker = between(&random, 1, 5), category = between(&random, 1, 5);
        file->at += sprintf(file->at, "MFGR#%u,MFGR#%u%u,MFGR#%u%u%u,", maker, maker, category,
                            maker, category, between(&random, 1, 40));
        text_field(file, pick(&random, colours, COUNT(colours)));
        put_text(file, pick(&random, sizes, COUNT(sizes)));
        *file->at++ = ' ';
        put_text(file, pick(&random, finishes, COUNT(finishes)));
        *file->at++ = ' ';
        text_field(file, pick(&random, materials, COUNT(materials)));
        number_field(file, between(&random, 1, 50));
        put_text(file, pick(&random, wraps, COUNT(wraps)));
        *file->at++ = ' ';
        put_text(file, pick(&random, boxes, COUNT(boxes)));
        end_row(file);
    }
    file_close(file);
}

/* ---- facts ---- */

struct scale {
    uint64_t ncustomers, nsuppliers, nparts, norders;
};

struct line {
    uint32_t part, supplier, quantity, discount, tax, commit_day;
    uint64_t price, revenue, supply_cost;
    const char *mode;
};

/* TPC-H's retail price of a part, in cents. */
static uint64_t price_of(uint64_t part)
{
    return 90000 + part / 10 % 20001 + 100 * (part % 1000);
}

static struct line make_line(const struct scale *scale, uint64_t *random, uint32_t order_day)
{
    static const char *const modes[] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
    struct line line; /* one statement each: the order of the draws is part of the data */
    line.part = between(random, 1, (uint32_t)scale->nparts);
    line.supplier = between(random, 1, (uint32_t)scale->nsuppliers);
    line.quantity = between(random, 1, 50);
    line.discount = between(random, 0, 10);
    line.tax = between(random, 0, 8);
    line.commit_day = order_day + between(random, 30, 90);
    line.mode = pick(random, modes, COUNT(modes));
    line.price = line.quantity * price_of(line.part);
    line.revenue = line.price * (100 - line.discount) / 100;
    line.supply_cost = 6 * price_of(line.part) / 10;
    return line;
}

static void write_order(const struct scale *scale, struct file *file, uint64_t key)
{
    static const char *const priorities[] = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECI",
                                             "5-LOW"};
    struct line lines[MAX_LINES];
    uint64_t random = seed_row(LINEORDER, key), total = 0;
    uint32_t day = between(&random, 0, NORDER_DAYS - 1);
    uint32_t customer = between(&random, 1, (uint32_t)scale->ncustomers);
    uint32_t nlines = between(&random, 1, MAX_LINES);
    const char *priority = pick(&random, priorities, COUNT(priorities));
    for (uint32_t i = 0; i < nlines; i++) {
        lines[i] = make_line(scale, &random, day);
        total += lines[i].revenue * (100 + lines[i].tax) / 100;
    }
    for (uint32_t i = 0; i < nlines; i++) {
        const struct line *line = &lines[i];
        begin_row(file);
        number_field(file, key);
        number_field(file, i + 1);
        number_field(file, customer);
        number_field(file, line->part);
        number_field(file, line->supplier);
        number_field(file, days[day].key);
        text_field(file, priority);
        number_field(file, 0);
        number_field(file, line->quantity);
        number_field(file, line->price);
        number_field(file, total);
        number_field(file, line->discount);
        number_field(file, line->revenue);
        number_field(file, line->supply_cost);
        number_field(file, line->tax);
        number_field(file, days[line->commit_day].key);
        text_field(file, line->mode);
        put_number(file, line->price * line->discount);
        end_row(file);
    }
}

static void write_orders(const char *directory, const struct scale *scale)
{
    struct file *file = file_new(
        directory, "lineorder.csv",
        "lo_orderkey,lo_linenumber,lo_custkey,lo_partkey,lo_suppkey,lo_orderdate,"
        "lo_orderpriority,lo_shippriority,lo_quantity,lo_extendedprice,lo_ordtotalprice,"
        "lo_discount,lo_revenue,lo_supplycost,lo_tax,lo_commitdate,lo_shipmode,lo_discounted");
    for (uint64_t key = 1; key <= scale->norders; key++)
        write_order(scale, file, key);
    file_close(file);
}

static uint64_t scaled(double factor, double count)
{
    double rows = floor(factor * count + 0.5);
    return rows < NCITIES ? NCITIES : (uint64_t)rows;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    double factor = argc == 3 ? strtod(argv[1], &end) : 0;
    if (argc != 3 || *end != '\0' || !(factor > 0 && factor <= 10000)) {
        fprintf(stderr, "usage: ssb_generate SCALE DIR      (SCALE above 0, at most 10000)\n");
        return 2;
    }
    struct scale scale = {.ncustomers = scaled(factor, 30000),
                          .nsuppliers = scaled(factor, 2000),
                          .nparts = factor < 1 ? scaled(factor, 200000)
                                               : scaled(1 + floor(log2(factor)), 200000),
                          .norders = scaled(factor, 1500000)};
    make_days();
    write_dates(argv[2]);
    write_customers(argv[2], scale.ncustomers);
    write_suppliers(argv[2], scale.nsuppliers);
    write_parts(argv[2], scale.nparts);
    write_orders(argv[2], &scale);
    return 0;
}

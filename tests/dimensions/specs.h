/* The dimensions that several tests use. */
#ifndef TESTS_DIMENSIONS_SPECS_H
#define TESTS_DIMENSIONS_SPECS_H

#include "dimensions/builder.h"

#define NO_COLUMNS .label_column = -1, .order_column = -1

/* Countries with a table: iso3, region, name, capital, zone. */
extern const vc_dimension_spec geo_spec;
/* Cities without a table: country, city, zip (of the city), rank (of the leaf). */
extern const vc_dimension_spec city_spec;
/* Days with months and with weeks: day, year, month, week_year, week. */
extern const vc_dimension_spec date_spec;

#endif

/* What a cell accumulated, and how that becomes the value of a measure. */
#include "slice/accumulator.h"

#include <float.h>
#include <math.h>

bool vc_accumulator_is_ordered(const vc_accumulator_spec *spec)
{
    bool is_float = spec->type == VC_VALUE_FLOAT;
    if (spec->aggregator == VC_AGG_WEIGHTED_AVG)
        return is_float || spec->weight_type == VC_VALUE_FLOAT;
    return is_float && (spec->aggregator == VC_AGG_SUM || spec->aggregator == VC_AGG_AVG ||
                        vc_has_moments(spec->aggregator));
}

/* ---- moments ---- */

void vc_moments_add_int(vc_moments *moments, int64_t value)
{
    unsigned __int128 square = (unsigned __int128)((__int128)value * value);
    moments->count++;
    moments->as.squares.sum += value;
    moments->as.squares.low += (uint64_t)square;
    moments->as.squares.high += square >> 64;
}

/* Add a product with what rounding takes from it. */
static void add_product(double *sum, double *correction, double a, double b)
{
    double product = a * b;
    vc_sum_add(sum, correction, product);
    *correction += fma(a, b, -product);
}

void vc_moments_add_double(vc_moments *moments, double value)
{
    moments->count++;
    vc_sum_add(&moments->as.powers.sum, &moments->as.powers.correction, value);
    add_product(&moments->as.powers.squares, &moments->as.powers.squares_correction, value, value);
}

void vc_moments_add_weighted_int(vc_moments *moments, int64_t value, int64_t weight)
{
    __int128 product = (__int128)value * weight;
    moments->count++;
    moments->as.weighted.weights += weight;
    moments->as.weighted.low += (uint64_t)product;
    moments->as.weighted.high += product >> 64;
}

void vc_moments_add_weighted_double(vc_moments *moments, double value, double weight)
{
    moments->count++;
    add_product(&moments->as.doubles.sum, &moments->as.doubles.correction, value, weight);
    vc_sum_add(&moments->as.doubles.weights, &moments->as.doubles.weights_correction, weight);
}

static void merge_sum(double *sum, double *correction, double from, double from_correction)
{
    vc_sum_add(sum, correction, from);
    *correction += from_correction;
}

void vc_moments_merge(const vc_accumulator_spec *spec, vc_moments *into, const vc_moments *from)
{
    if (from->count == 0) return;
    if (into->count == 0) {
        *into = *from;
        return;
    }
    if (spec->aggregator == VC_AGG_WEIGHTED_AVG && vc_accumulator_is_ordered(spec)) {
        merge_sum(&into->as.doubles.sum, &into->as.doubles.correction, from->as.doubles.sum,
                  from->as.doubles.correction);
        merge_sum(&into->as.doubles.weights, &into->as.doubles.weights_correction,
                  from->as.doubles.weights, from->as.doubles.weights_correction);
    } else if (spec->aggregator == VC_AGG_WEIGHTED_AVG) {
        into->as.weighted.weights += from->as.weighted.weights;
        into->as.weighted.low += from->as.weighted.low;
        into->as.weighted.high += from->as.weighted.high;
    } else if (spec->type == VC_VALUE_FLOAT) {
        merge_sum(&into->as.powers.sum, &into->as.powers.correction, from->as.powers.sum,
                  from->as.powers.correction);
        merge_sum(&into->as.powers.squares, &into->as.powers.squares_correction,
                  from->as.powers.squares, from->as.powers.squares_correction);
    } else {
        into->as.squares.sum += from->as.squares.sum;
        into->as.squares.low += from->as.squares.low;
        into->as.squares.high += from->as.squares.high;
    }
    into->count += from->count;
}

/* ---- numbers of 256 bits, for sums of squares ---- */

typedef struct wide {
    uint64_t limbs[4]; /* the lowest first */
} wide;

static wide add_wide(wide a, unsigned __int128 b, unsigned place)
{
    uint64_t parts[2] = {(uint64_t)b, (uint64_t)(b >> 64)};
    unsigned __int128 carry = 0;
    for (unsigned i = place; i < 4; i++) {
        carry += a.limbs[i];
        if (i - place < 2) carry += parts[i - place];
        a.limbs[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

static wide multiply_wide(wide a, uint64_t b)
{
    unsigned __int128 carry = 0;
    for (unsigned i = 0; i < 4; i++) {
        carry += (unsigned __int128)a.limbs[i] * b;
        a.limbs[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

static wide square_wide(unsigned __int128 a)
{
    uint64_t low = (uint64_t)a, high = (uint64_t)(a >> 64);
    unsigned __int128 cross = (unsigned __int128)low * high;
    wide result = {{0}};
    result = add_wide(result, (unsigned __int128)low * low, 0);
    result = add_wide(result, cross, 1);
    result = add_wide(result, cross, 1);
    return add_wide(result, (unsigned __int128)high * high, 2);
}

/* a - b, which is not negative, as a number. */
static long double subtract_wide(wide a, wide b)
{
    long double result = 0;
    uint64_t borrow = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned __int128 limb = (unsigned __int128)a.limbs[i] - b.limbs[i] - borrow;
        a.limbs[i] = (uint64_t)limb;
        borrow = limb >> 64 != 0;
    }
    for (unsigned i = 4; i-- > 0;)
        result = result * 18446744073709551616.0L + (long double)a.limbs[i];
    return result;
}

/* The sum of squares around the mean, times the number of values: n * sum(x^2) - sum(x)^2. */
static long double squares_around_mean(const vc_moments *from)
{
    wide squares = {{0}};
    __int128 sum = from->as.squares.sum;
    squares = add_wide(squares, from->as.squares.low, 0);
    squares = add_wide(squares, from->as.squares.high, 1);
    unsigned __int128 size = sum < 0 ? -(unsigned __int128)sum : (unsigned __int128)sum;
    return subtract_wide(multiply_wide(squares, from->count), square_wide(size));
}

#if LDBL_MANT_DIG >= 113
typedef long double quad;
#else
__extension__ typedef __float128 quad; /* its + - * come with the compiler */
#endif

/* The same of doubles. Sums have some 100 bits, so what is smaller than 2^-96 of them is no
 * difference between the values, but what rounding left. */
static long double squares_of_doubles(const vc_moments *from)
{
    quad sum = (quad)from->as.powers.sum + (quad)from->as.powers.correction;
    quad squares = (quad)from->as.powers.squares + (quad)from->as.powers.squares_correction;
    quad whole = squares * (quad)from->count, left = whole - sum * sum;
    return left > whole * (quad)0x1p-96 ? (long double)left : 0;
}

/* ---- values ---- */

vc_status vc_measure_fail_overflow(const vc_plan_measure *measure, vc_error *error)
{
    vc_fail(error, VC_OVERFLOW, "overflow",
            "measure '%.*s': a value does not fit its type; ask for smaller parts, or define "
            "the measure with a smaller scale",
            VC_FMT(measure->name));
    return vc_error_at_place(error, VC_OVERFLOW, measure->place);
}

static vc_status put_double(const vc_plan_measure *measure, long double value, vc_cell *cell,
                            vc_error *error)
{
    cell->as.f = (double)value;
    return isfinite(cell->as.f) ? VC_OK : vc_measure_fail_overflow(measure, error);
}

/* Stored integers of a decimal stand for so many times what they mean. */
static long double unit_of(const vc_source_cube *source, int column)
{
    const vc_fact_column *of = &source->columns[column];
    return of->type == VC_VALUE_DECIMAL ? (long double)vc_pow10(of->scale) : 1;
}

static vc_status average(const vc_plan_measure *measure, const vc_accumulator_spec *spec,
                         long double unit, const vc_accumulator *from, vc_cell *cell,
                         vc_error *error)
{
    if (spec->type == VC_VALUE_FLOAT) {
        cell->as.f = (from->as.f.sum + from->as.f.correction) / (double)from->count;
        return isfinite(cell->as.f) ? VC_OK : vc_measure_fail_overflow(measure, error);
    }
    return put_double(measure, (long double)from->as.sum / ((long double)from->count * unit), cell,
                      error);
}

void vc_moments_read_weighted(const vc_accumulator_spec *spec, const vc_moments *from,
                              long double *sum_out, long double *weights_out)
{
    if (vc_accumulator_is_ordered(spec)) {
        *sum_out = (long double)from->as.doubles.sum + from->as.doubles.correction;
        *weights_out = (long double)from->as.doubles.weights + from->as.doubles.weights_correction;
    } else {
        /* What is above 64 bits first goes to its half: the halves may be of different signs. */
        *sum_out = (long double)(from->as.weighted.high + (__int128)(from->as.weighted.low >> 64)) *
                       18446744073709551616.0L +
                   (long double)(uint64_t)from->as.weighted.low;
        *weights_out = (long double)from->as.weighted.weights;
    }
}

static vc_status weighted_average(const vc_plan_measure *measure, const vc_accumulator_spec *spec,
                                  long double unit, const vc_moments *from, vc_cell *cell,
                                  vc_error *error)
{
    long double sum, weights;
    vc_moments_read_weighted(spec, from, &sum, &weights);
    if (weights == 0) {
        *cell = vc_cell_null(VC_REASON_UNDEFINED);
        return VC_OK;
    }
    return put_double(measure, sum / (weights * unit), cell, error);
}

/* Of a sample of one value the variance is undefined. */
static vc_status variance(const vc_plan_measure *measure, const vc_accumulator_spec *spec,
                          long double unit, const vc_moments *from, vc_cell *cell, vc_error *error)
{
    bool is_pop = spec->aggregator == VC_AGG_STDDEV_POP || spec->aggregator == VC_AGG_VARIANCE_POP;
    bool is_stddev = spec->aggregator == VC_AGG_STDDEV || spec->aggregator == VC_AGG_STDDEV_POP;
    long double n = (long double)from->count, divisor = is_pop ? n : n - 1, squares;
    if (divisor == 0) {
        *cell = vc_cell_null(VC_REASON_UNDEFINED);
        return VC_OK;
    }
    squares = spec->type == VC_VALUE_FLOAT ? squares_of_doubles(from)
                                           : squares_around_mean(from) / (unit * unit);
    squares /= n * divisor;
    return put_double(measure, is_stddev ? sqrtl(squares) : squares, cell, error);
}

static vc_status moments_cell(const vc_plan_measure *measure, const vc_accumulator_spec *spec,
                              const vc_source_cube *source, const vc_moments *from, vc_cell *cell,
                              vc_error *error)
{
    long double unit = unit_of(source, spec->column);
    if (from->count == 0) {
        *cell = vc_cell_null(VC_REASON_NULL);
        return VC_OK;
    }
    if (spec->aggregator != VC_AGG_WEIGHTED_AVG)
        return variance(measure, spec, unit, from, cell, error);
    return weighted_average(measure, spec, unit, from, cell, error);
}

static vc_status sum_cell(const vc_plan_measure *measure, bool is_float, const vc_accumulator *from,
                          vc_cell *cell, vc_error *error)
{
    if (is_float)
        return put_double(measure, (long double)(from->as.f.sum + from->as.f.correction), cell,
                          error);
    if (from->as.sum > INT64_MAX || from->as.sum < INT64_MIN)
        return vc_measure_fail_overflow(measure, error);
    cell->as.i = (int64_t)from->as.sum;
    return VC_OK;
}

vc_status vc_accumulator_cell(const vc_plan *plan, const vc_plan_measure *measure,
                              const vc_accumulator *from, vc_cell *cell, vc_error *error)
{
    const vc_pass *pass = &plan->passes[measure->pass];
    const vc_accumulator_spec *spec = &pass->accumulators[measure->accumulator];
    const vc_source_cube *source = plan->cube->sources[pass->source].cube;
    bool is_float = spec->type == VC_VALUE_FLOAT;
    *cell = (vc_cell){0};
    if (spec->aggregator == VC_AGG_COUNT || spec->aggregator == VC_AGG_COUNT_DISTINCT) {
        cell->as.i = (int64_t)from->count;
        return VC_OK;
    }
    if (from->count == 0) {
        *cell = vc_cell_null(VC_REASON_NULL);
        return VC_OK;
    }
    if (vc_is_quantile(spec->aggregator)) { /* the value itself was put there, scaled */
        cell->as.f = from->as.fextreme;
        return VC_OK;
    }
    if (pass->over == VC_OVER_AVG) /* averages were added up */
        return put_double(measure,
                          ((long double)from->as.f.sum + from->as.f.correction) /
                              (is_float ? 1 : unit_of(source, spec->column)),
                          cell, error);
    switch (spec->aggregator) {
    case VC_AGG_AVG:
        return average(measure, spec, is_float ? 1 : unit_of(source, spec->column), from, cell,
                       error);
    case VC_AGG_SUM: return sum_cell(measure, is_float, from, cell, error);
    default:
        if (is_float)
            cell->as.f = from->as.fextreme;
        else
            cell->as.i = from->as.extreme;
        return VC_OK;
    }
}

vc_status vc_cells_value(const vc_plan *plan, const vc_plan_measure *measure, const vc_cells *cells,
                         uint32_t slot, vc_cell *cell, vc_error *error)
{
    const vc_pass *pass = &plan->passes[measure->pass];
    const vc_accumulator_spec *spec = &pass->accumulators[measure->accumulator];
    if (vc_has_moments(spec->aggregator)) {
        *cell = (vc_cell){0};
        return moments_cell(measure, spec, plan->cube->sources[pass->source].cube,
                            vc_cells_read_moments(cells, measure->accumulator, slot), cell, error);
    }
    vc_accumulator from = vc_cells_read(cells, measure->accumulator, slot);
    return vc_accumulator_cell(plan, measure, &from, cell, error);
}

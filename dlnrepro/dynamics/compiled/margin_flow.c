/* The flow of `stiff_flow.margin_flow`, its Jacobian in two factors, and its path by BDF, for one run at a time.
 *
 * Conventions are those of `stiff_flow.margin_flow` and `stiff_flow.low_rank_jacobian`: layers W_1 .. W_L of
 * n_l x n_{l-1} with n_L = 1, stacked row by row; s_l = W_L ... W_{l+1}; a_l = W_{l-1} ... W_1 h with h the gradient
 * of log R on the predictor. Here layers are counted from 0, so layer l is W_{l+1}. Matrices are stored row by row.
 *
 * BDF is the method of variable order and quasi-constant step of Shampine and Reichelt, "The MATLAB ODE Suite" (SIAM
 * J. Sci. Comput. 18, 1997), with backward differences and the constants kappa of their numerical differentiation
 * formulas: the method of scipy's BDF, with which the tests compare it.
 */

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STALL 1e-3
#define NEGLIGIBLE 1e-40
#define LINEAR_FROM 34.0
#define MOST_LAYERS 64
#define HIGHEST_ORDER 5
#define MOST_ITERATIONS 4
#define LEAST_FACTOR 0.2
#define LARGEST_FACTOR 10.0
#define LONGEST_ROTATIONS 60
#define BLOCK 8 /* rows that one pass of the elimination takes together */

enum { LOGISTIC, EXPONENTIAL, SQUARED };
enum { REACHED_END, ARRIVED, LOST, STOPPED, NO_MEMORY };

typedef int (*Tick)(double);

/* One run, and the memory that its field and its Jacobian need. */
typedef struct {
    int depth, dimension, samples, hidden, inputs, parameters, unknowns, loss;
    const int32_t *widths; /* n_0 .. n_L */
    const double *data;    /* Z, samples x dimension */
    const double *rates;   /* one per weight */
    int first[MOST_LAYERS];  /* where each layer begins among the weights */
    int before[MOST_LAYERS]; /* where the inputs of each layer begin among all inputs, n_0 + .. + n_{L-1} numbers */
    double *memory;
    /* s_l for l = 0 .. L, with s_l at `suffix + before[l]`; s_L is 1. */
    double *suffix, *column;
    double *margin, *slope, *bend_weight, *gradient, *pull;
    /* the factors of the Jacobian */
    double *row_unit, *column_unit, *row_length, *column_length, *coupling, *reach, *stiff, *scaled, *field, *tilt;
    double *core, *lower, *between, *other, *after, *before_all, *cross, *curvature, *basis, *strength, *spread;
    double *numbers, *inner, *outer;
    int *pivot;
} Flow;

static double dot(const double *x, const double *y, int n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

static double length_of(const double *x, int n) {
    double length = sqrt(dot(x, x, n));
    return length != 0 ? length : 1.0;
}

static void times_vector(const double *matrix, const double *x, double *y, int rows, int columns) {
    for (int i = 0; i < rows; i++) y[i] = dot(matrix + (size_t)i * columns, x, columns);
}

static void vector_times(const double *x, const double *matrix, double *y, int rows, int columns) {
    for (int j = 0; j < columns; j++) y[j] = 0;
    for (int i = 0; i < rows; i++) {
        const double factor = x[i], *line = matrix + (size_t)i * columns;
        for (int j = 0; j < columns; j++) y[j] += factor * line[j];
    }
}

/* C (rows x columns) = or += A (rows x inner) B (inner x columns), with row strides of A, B and C. */
static void multiply(const double *a, int stride_a, const double *b, int stride_b, double *c, int stride_c, int rows,
                     int inner, int columns) {
    for (int i = 0; i < rows; i++) {
        double *line = c + (size_t)i * stride_c;
        for (int j = 0; j < columns; j++) line[j] = 0;
        for (int k = 0; k < inner; k++) {
            const double factor = a[(size_t)i * stride_a + k], *other = b + (size_t)k * stride_b;
            for (int j = 0; j < columns; j++) line[j] += factor * other[j];
        }
    }
}

/* log R of the margins; its gradient g and its curvature c if wanted, as in `risks.margin_losses`. */
static double risk_of(Flow *flow, int with_curvature) {
    const int n = flow->samples;
    const double *m = flow->margin;
    double *g = flow->slope, *c = flow->bend_weight;
    if (flow->loss == SQUARED) {
        double total = 0;
        for (int i = 0; i < n; i++) total += (m[i] - 1) * (m[i] - 1);
        total /= 2;
        for (int i = 0; i < n; i++) g[i] = (m[i] - 1) / total;
        if (with_curvature)
            for (int i = 0; i < n; i++) c[i] = 1 / total;
        return log(total / n);
    }
    double least = m[0];
    for (int i = 1; i < n; i++)
        if (m[i] < least) least = m[i];
    if (flow->loss == EXPONENTIAL || least > LINEAR_FROM) {
        double total = 0;
        for (int i = 0; i < n; i++) total += g[i] = exp(least - m[i]);
        for (int i = 0; i < n; i++) g[i] /= total;
        if (with_curvature)
            for (int i = 0; i < n; i++) c[i] = g[i];
        for (int i = 0; i < n; i++) g[i] = -g[i];
        return log(total / n) - least;
    }
    /* log l of each margin is kept in c, and l'(m) / l(m) in g, until the largest log l is known. */
    double top = -INFINITY, total = 0;
    for (int i = 0; i < n; i++) {
        const double near = m[i] < LINEAR_FROM ? m[i] : LINEAR_FROM, odds = exp(-near), loss = log1p(odds);
        c[i] = log(loss) + (near - m[i]);
        g[i] = odds / ((1 + odds) * loss);
        if (c[i] > top) top = c[i];
    }
    for (int i = 0; i < n; i++) total += c[i] = exp(c[i] - top);
    for (int i = 0; i < n; i++) {
        const double first = c[i] * g[i] / total;
        if (with_curvature) c[i] = first / (1 + exp(-(m[i] < LINEAR_FROM ? m[i] : LINEAR_FROM)));
        g[i] = -first;
    }
    return log(total / n) + top;
}

/* s_0 .. s_L and the margins. */
static void forward(Flow *flow, const double *theta) {
    const int depth = flow->depth;
    flow->suffix[flow->inputs] = 1;
    for (int l = depth - 1; l >= 0; l--) {
        const double *next = l == depth - 1 ? flow->suffix + flow->inputs : flow->suffix + flow->before[l + 1];
        vector_times(next, theta + flow->first[l], flow->suffix + flow->before[l], flow->widths[l + 1],
                     flow->widths[l]);
    }
    times_vector(flow->data, flow->suffix, flow->margin, flow->samples, flow->dimension);
}

/* a_l of every layer from a vector of the inputs' space. */
static void columns_of(Flow *flow, const double *theta, const double *vector, double *column) {
    memcpy(column, vector, flow->dimension * sizeof(double));
    for (int l = 0; l + 1 < flow->depth; l++)
        times_vector(theta + flow->first[l], column + flow->before[l], column + flow->before[l + 1],
                     flow->widths[l + 1], flow->widths[l]);
}

/* The gradient of <w, vector> on every weight, s_l a_l^T, from the columns a_l. */
static void outer_products(const Flow *flow, const double *column, double *pull) {
    for (int l = 0; l < flow->depth; l++) {
        const int rows = flow->widths[l + 1], columns = flow->widths[l];
        const double *s = l == flow->depth - 1 ? flow->suffix + flow->inputs : flow->suffix + flow->before[l + 1];
        const double *a = column + flow->before[l];
        double *block = pull + flow->first[l];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) block[(size_t)i * columns + j] = s[i] * a[j];
    }
}

static double log_inverse_risk(Flow *flow, const double *theta) {
    forward(flow, theta);
    return -risk_of(flow, 0);
}

/* The field; returns whether it is finite. */
static int velocity(Flow *flow, const double *theta, double *result) {
    forward(flow, theta);
    const double clock = 1 - risk_of(flow, 0);
    vector_times(flow->slope, flow->data, flow->gradient, flow->samples, flow->dimension);
    columns_of(flow, theta, flow->gradient, flow->column);
    outer_products(flow, flow->column, result);
    double euler = 0, square = 0;
    for (int i = 0; i < flow->parameters; i++) {
        euler -= theta[i] * result[i];
        square += theta[i] * theta[i] / flow->rates[i];
    }
    const double speed = -clock / (STALL + euler * euler / square);
    double sum = 0;
    for (int i = 0; i < flow->parameters; i++) {
        result[i] *= flow->rates[i] * speed;
        sum += result[i] * 0;
    }
    return sum == 0;
}

/* Eigenvalues and eigenvectors (columns of `basis`) of a small symmetric matrix, by Jacobi's rotations. */
static void eigen(double *matrix, double *basis, double *strength, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) basis[i * n + j] = i == j;
    for (int sweep = 0; sweep < LONGEST_ROTATIONS; sweep++) {
        int turned = 0;
        for (int p = 0; p < n; p++) {
            for (int q = p + 1; q < n; q++) {
                const double off = matrix[p * n + q], a = matrix[p * n + p], b = matrix[q * n + q];
                if (fabs(off) <= DBL_EPSILON * sqrt(fabs(a * b)) * 0.25 || off == 0) continue;
                turned = 1;
                const double ratio = (b - a) / (2 * off);
                const double t = (ratio >= 0 ? 1 : -1) / (fabs(ratio) + sqrt(1 + ratio * ratio));
                const double c = 1 / sqrt(1 + t * t), s = t * c;
                for (int k = 0; k < n; k++) {
                    const double x = matrix[k * n + p], y = matrix[k * n + q];
                    matrix[k * n + p] = c * x - s * y;
                    matrix[k * n + q] = s * x + c * y;
                }
                for (int k = 0; k < n; k++) {
                    const double x = matrix[p * n + k], y = matrix[q * n + k];
                    matrix[p * n + k] = c * x - s * y;
                    matrix[q * n + k] = s * x + c * y;
                }
                matrix[p * n + q] = matrix[q * n + p] = 0;
                for (int k = 0; k < n; k++) {
                    const double x = basis[k * n + p], y = basis[k * n + q];
                    basis[k * n + p] = c * x - s * y;
                    basis[k * n + q] = s * x + c * y;
                }
            }
        }
        if (!turned) break;
    }
    for (int i = 0; i < n; i++) strength[i] = matrix[i * n + i];
}

/* C, the Hessian of log R on the predictor, arranged so that no large terms cancel; returns whether it is finite. */
static int predictor_curvature(Flow *flow) {
    const int d = flow->dimension, n = flow->samples;
    double *mean = flow->other, *c = flow->bend_weight, *bend = flow->curvature, total = 0, check = 0;
    for (int j = 0; j < d; j++) mean[j] = 0;
    for (int i = 0; i < n; i++) {
        if (c[i] <= NEGLIGIBLE) continue;
        total += c[i];
        for (int j = 0; j < d; j++) mean[j] += c[i] * flow->data[i * d + j];
    }
    for (int j = 0; j < d; j++) mean[j] /= total;
    for (int i = 0; i < d * d; i++) bend[i] = 0;
    for (int i = 0; i < n; i++) {
        if (c[i] <= NEGLIGIBLE) continue;
        double *row = flow->spread;
        for (int j = 0; j < d; j++) row[j] = flow->data[i * d + j] - mean[j];
        for (int j = 0; j < d; j++)
            for (int k = 0; k < d; k++) bend[j * d + k] += c[i] * row[j] * row[k];
    }
    const double root = sqrt(total);
    for (int j = 0; j < d; j++) {
        for (int k = 0; k < d; k++) {
            const double less_j = root * mean[j] + flow->gradient[j], more_j = root * mean[j] - flow->gradient[j];
            const double less_k = root * mean[k] + flow->gradient[k], more_k = root * mean[k] - flow->gradient[k];
            bend[j * d + k] += (less_j * more_k + more_j * less_k) / 2;
            check += bend[j * d + k] * 0;
        }
    }
    return check == 0;
}

/* v_l = X_l c_l of all layers but the last, and u_l = r_l X_l of all layers, of stacked weights X. */
static void contract(const Flow *flow, const double *vector, double *after, double *before) {
    int high = 0;
    for (int l = 0; l < flow->depth; l++) {
        const int rows = flow->widths[l + 1], columns = flow->widths[l];
        const double *layer = vector + flow->first[l];
        if (l + 1 < flow->depth) {
            times_vector(layer, flow->column_unit + flow->before[l], after + high, rows, columns);
            vector_times(flow->row_unit + flow->before[l + 1], layer, before + flow->before[l], rows, columns);
        } else {
            memcpy(before + flow->before[l], layer, columns * sizeof(double)); /* r_L is the sign of s_L, which is 1 */
        }
        high += rows;
    }
}

/* V^T x. */
static void project(Flow *flow, const double *vector, double *numbers) {
    const int hidden = flow->hidden, d = flow->dimension;
    contract(flow, vector, numbers, flow->inner);
    memcpy(numbers + hidden, flow->inner + d, hidden * sizeof(double));
    vector_times(flow->inner, flow->reach, numbers + 2 * hidden, flow->inputs, d);
    numbers[2 * hidden + d] = dot(flow->tilt, vector, flow->parameters);
}

/* U y. */
static void lift(Flow *flow, const double *numbers, double *vector) {
    const int hidden = flow->hidden, d = flow->dimension, inputs = flow->inputs, depth = flow->depth;
    double *inner = flow->inner, *outer = flow->outer;
    for (int i = 0; i < hidden; i++) outer[i] = dot(flow->coupling + (size_t)i * inputs + d, numbers + hidden, hidden);
    vector_times(numbers, flow->coupling, inner, hidden, inputs);
    for (int i = 0; i < inputs; i++) inner[i] += dot(flow->stiff + (size_t)i * d, numbers + 2 * hidden, d);
    const double last = numbers[2 * hidden + d];
    int high = 0;
    for (int l = 0; l < depth; l++) {
        const int rows = flow->widths[l + 1], columns = flow->widths[l];
        const double *rate = flow->scaled + flow->first[l], *move = flow->field + flow->first[l];
        const double *c = flow->column_unit + flow->before[l], *q = inner + flow->before[l];
        double *layer = vector + flow->first[l];
        if (l + 1 == depth) {
            for (int j = 0; j < columns; j++) layer[j] = rate[j] * q[j] + move[j] * last;
            break;
        }
        const double *r = flow->row_unit + flow->before[l + 1];
        for (int i = 0; i < rows; i++) {
            const double p = outer[high + i], s = r[i];
            const size_t at = (size_t)i * columns;
            for (int j = 0; j < columns; j++)
                layer[at + j] = rate[at + j] * (p * c[j] + s * q[j]) + move[at + j] * last;
        }
        high += rows;
    }
}

/* The core V^T U, of unknowns x unknowns. */
static void make_core(Flow *flow) {
    const int hidden = flow->hidden, d = flow->dimension, inputs = flow->inputs, size = 2 * hidden + d;
    const int stride = size + 1;
    double *after = flow->after, *before = flow->before_all, *core = flow->core;
    memset(after, 0, sizeof(double) * (size_t)hidden * size);
    memset(before, 0, sizeof(double) * (size_t)inputs * size);
    int high = 0;
    for (int l = 0; l < flow->depth; l++) {
        const int rows = flow->widths[l + 1], columns = flow->widths[l], low = flow->before[l];
        const double *rate = flow->scaled + flow->first[l], *c = flow->column_unit + low;
        const double one = 1.0, *r = l + 1 < flow->depth ? flow->row_unit + flow->before[l + 1] : &one;
        for (int j = 0; j < columns; j++) {
            double weighted = 0;
            for (int i = 0; i < rows; i++) weighted += r[i] * r[i] * rate[(size_t)i * columns + j];
            double *line = before + (size_t)(low + j) * size;
            for (int q = 0; q < hidden; q++) line[q] = weighted * flow->coupling[(size_t)q * inputs + low + j];
            for (int q = 0; q < d; q++) line[2 * hidden + q] = weighted * flow->stiff[(size_t)(low + j) * d + q];
        }
        if (l + 1 < flow->depth) {
            double *cross = flow->cross;
            for (int i = 0; i < rows; i++) {
                double weighted = 0;
                for (int j = 0; j < columns; j++) {
                    const double value = rate[(size_t)i * columns + j];
                    cross[(size_t)i * columns + j] = value * r[i] * c[j];
                    weighted += value * c[j] * c[j];
                }
                double *line = after + (size_t)(high + i) * size;
                const double *free_row = flow->coupling + (size_t)(high + i) * inputs + d;
                for (int q = 0; q < hidden; q++)
                    line[q] = dot(cross + (size_t)i * columns, flow->coupling + (size_t)q * inputs + low, columns);
                for (int q = 0; q < hidden; q++) line[hidden + q] = weighted * free_row[q];
                multiply(cross + (size_t)i * columns, columns, flow->stiff + (size_t)low * d, d, line + 2 * hidden,
                         size, 1, columns, d);
                for (int j = 0; j < columns; j++) {
                    const double factor = cross[(size_t)i * columns + j];
                    double *target = before + (size_t)(low + j) * size + hidden;
                    for (int q = 0; q < hidden; q++) target[q] += factor * free_row[q];
                }
            }
        }
        high += rows;
    }
    for (int i = 0; i < hidden; i++) {
        memcpy(core + (size_t)i * stride, after + (size_t)i * size, size * sizeof(double));
        memcpy(core + (size_t)(hidden + i) * stride, before + (size_t)(d + i) * size, size * sizeof(double));
    }
    for (int k = 0; k < d; k++) {
        double *line = core + (size_t)(2 * hidden + k) * stride;
        memset(line, 0, size * sizeof(double));
        for (int i = 0; i < inputs; i++) {
            const double factor = flow->reach[(size_t)i * d + k], *from = before + (size_t)i * size;
            for (int q = 0; q < size; q++) line[q] += factor * from[q];
        }
    }
    project(flow, flow->field, flow->numbers);
    for (int i = 0; i < size; i++) core[(size_t)i * stride + size] = flow->numbers[i];
    double *last = core + (size_t)size * stride;
    for (int i = 0; i < flow->parameters; i++) flow->pull[i] = flow->scaled[i] * flow->tilt[i];
    contract(flow, flow->pull, flow->outer, flow->inner);
    for (int i = 0; i < hidden; i++) last[i] = dot(flow->coupling + (size_t)i * inputs, flow->inner, inputs);
    for (int i = 0; i < hidden; i++) last[hidden + i] = 0;
    for (int q = 0; q < hidden; q++)
        for (int i = 0; i < hidden; i++)
            last[hidden + i] += flow->outer[q] * flow->coupling[(size_t)q * inputs + d + i];
    vector_times(flow->inner, flow->stiff, last + 2 * hidden, inputs, d);
    last[size] = dot(flow->tilt, flow->field, flow->parameters);
}

/* The factors U and V^T of the Jacobian and their core, as `low_rank_jacobian` has them; returns whether finite. */
static int factorise(Flow *flow, const double *theta) {
    const int d = flow->dimension, depth = flow->depth, inputs = flow->inputs, hidden = flow->hidden;
    const int parameters = flow->parameters;
    forward(flow, theta);
    const double clock = 1 - risk_of(flow, 1);
    vector_times(flow->slope, flow->data, flow->gradient, flow->samples, d);
    if (!predictor_curvature(flow)) return 0;
    columns_of(flow, theta, flow->gradient, flow->column);
    outer_products(flow, flow->column, flow->pull);
    double euler = 0, square = 0;
    for (int i = 0; i < parameters; i++) {
        euler -= theta[i] * flow->pull[i];
        square += theta[i] * theta[i] / flow->rates[i];
    }
    const double quotient = euler * euler / square, scale = STALL + quotient;
    double size = 0;
    for (int i = 0; i < parameters; i++) {
        flow->scaled[i] = -flow->rates[i] * clock / scale;
        flow->field[i] = flow->pull[i] * flow->scaled[i];
        size += flow->field[i] * flow->field[i];
    }
    const double length = size != 0 ? sqrt(size) : 1.0;
    double *turn = flow->other;
    const double factor = 2 * euler * depth / (square * scale);
    for (int j = 0; j < d; j++)
        turn[j] = factor * (dot(flow->curvature + j * d, flow->suffix, d) + flow->gradient[j]) -
                  flow->gradient[j] / clock;
    columns_of(flow, theta, turn, flow->inner);
    outer_products(flow, flow->inner, flow->tilt);
    const double slow = 2 * quotient / (square * scale);
    for (int i = 0; i < parameters; i++) {
        flow->tilt[i] = length * (flow->tilt[i] + slow * theta[i] / flow->rates[i]);
        flow->field[i] /= length;
    }
    eigen(flow->curvature, flow->basis, flow->strength, d);
    for (int l = 0; l < depth; l++) {
        const int columns = flow->widths[l];
        const double *a = flow->column + flow->before[l];
        flow->column_length[l] = length_of(a, columns);
        for (int j = 0; j < columns; j++) flow->column_unit[flow->before[l] + j] = a[j] / flow->column_length[l];
        flow->row_length[l] = 1;
        if (l + 1 < depth) {
            const double *s = flow->suffix + flow->before[l + 1];
            const int rows = flow->widths[l + 1];
            flow->row_length[l] = length_of(s, rows);
            for (int i = 0; i < rows; i++) flow->row_unit[flow->before[l + 1] + i] = s[i] / flow->row_length[l];
        }
    }
    /* reach: |s_l| W_{l-1} .. W_1 Q of every layer, from unscaled products in `stiff`. */
    memcpy(flow->stiff, flow->basis, sizeof(double) * d * d);
    for (int l = 0; l + 1 < depth; l++)
        multiply(theta + flow->first[l], flow->widths[l], flow->stiff + (size_t)flow->before[l] * d, d,
                 flow->stiff + (size_t)flow->before[l + 1] * d, d, flow->widths[l + 1], flow->widths[l], d);
    double total = 0;
    for (int l = 0; l < depth; l++)
        for (int i = flow->before[l] * d; i < (flow->before[l] + flow->widths[l]) * d; i++) {
            flow->reach[i] = flow->row_length[l] * flow->stiff[i];
            total += flow->reach[i] * flow->reach[i];
        }
    const double norm = total != 0 ? sqrt(total) : 1.0;
    for (int i = 0; i < inputs; i++)
        for (int k = 0; k < d; k++) {
            const size_t at = (size_t)i * d + k;
            flow->stiff[at] = flow->reach[at] * norm * flow->strength[k];
            flow->reach[at] /= norm;
        }
    memset(flow->coupling, 0, sizeof(double) * (size_t)hidden * inputs);
    int here = 0;
    for (int low = 0; low + 1 < depth; low++) {
        const int width = flow->widths[low + 1];
        double *now = flow->between, *next = flow->between + (size_t)inputs * inputs;
        for (int i = 0; i < width * width; i++) now[i] = 0;
        for (int i = 0; i < width; i++) now[i * width + i] = flow->column_length[low];
        for (int high = low + 1; high < depth; high++) {
            const int columns = flow->widths[high];
            for (int i = 0; i < width; i++)
                for (int j = 0; j < columns; j++)
                    flow->coupling[(size_t)(here + i) * inputs + flow->before[high] + j] =
                        now[(size_t)j * width + i] * flow->row_length[high];
            if (high + 1 < depth) {
                multiply(theta + flow->first[high], columns, now, width, next, width, flow->widths[high + 1], columns,
                         width);
                double *swap = now;
                now = next;
                next = swap;
            }
        }
        here += width;
    }
    make_core(flow);
    return 1;
}

/* LU factors with partial pivoting of I + factor * core, in `lower`; returns 0 for a singular matrix. */
static int decompose(Flow *flow, double factor) {
    const int n = flow->unknowns;
    double *a = flow->lower;
    for (size_t i = 0; i < (size_t)n * n; i++) a[i] = factor * flow->core[i];
    for (int i = 0; i < n; i++) a[(size_t)i * n + i] += 1;
    for (int low = 0; low < n; low += BLOCK) {
        const int high = low + BLOCK < n ? low + BLOCK : n;
        for (int k = low; k < high; k++) {
            int best = k;
            for (int i = k + 1; i < n; i++)
                if (fabs(a[(size_t)i * n + k]) > fabs(a[(size_t)best * n + k])) best = i;
            flow->pivot[k] = best;
            double *top = a + (size_t)k * n, *other = a + (size_t)best * n;
            for (int j = 0; best != k && j < n; j++) {
                const double keep = top[j];
                top[j] = other[j];
                other[j] = keep;
            }
            if (top[k] == 0) return 0;
            const double inverse = 1 / top[k];
            for (int i = k + 1; i < n; i++) {
                double *line = a + (size_t)i * n;
                const double ratio = line[k] *= inverse;
                for (int j = k + 1; j < high; j++) line[j] -= ratio * top[j];
            }
        }
        for (int i = low + 1; i < high; i++)
            for (int k = low; k < i; k++) {
                const double ratio = a[(size_t)i * n + k];
                for (int j = high; j < n; j++) a[(size_t)i * n + j] -= ratio * a[(size_t)k * n + j];
            }
        if (high - low < BLOCK) continue;
        const double *r = a + (size_t)low * n;
        const size_t m = n;
        for (int i = high; i < n; i++) {
            double *line = a + i * m;
            const double *l = line + low;
            for (int j = high; j < n; j++) {
                const double first = l[0] * r[j] + l[1] * r[m + j] + l[2] * r[2 * m + j] + l[3] * r[3 * m + j];
                const double second =
                    l[4] * r[4 * m + j] + l[5] * r[5 * m + j] + l[6] * r[6 * m + j] + l[7] * r[7 * m + j];
                line[j] -= first + second;
            }
        }
    }
    return 1;
}

/* x -> (I + factor U V^T)^-1 x by Woodbury's identity, in place; needs `decompose(flow, factor)`. */
static void solve(Flow *flow, double factor, double *vector, double *lifted) {
    const int n = flow->unknowns;
    double *y = flow->numbers;
    project(flow, vector, y);
    for (int k = 0; k < n; k++) {
        const double keep = y[k];
        y[k] = y[flow->pivot[k]];
        y[flow->pivot[k]] = keep;
    }
    for (int i = 1; i < n; i++) y[i] -= dot(flow->lower + (size_t)i * n, y, i);
    for (int i = n - 1; i >= 0; i--) {
        const double *line = flow->lower + (size_t)i * n;
        y[i] = (y[i] - dot(line + i + 1, y + i + 1, n - i - 1)) / line[i];
    }
    lift(flow, y, lifted);
    for (int i = 0; i < flow->parameters; i++) vector[i] -= factor * lifted[i];
}

/* Give a run its sizes and its memory; 0 without memory. `extra` numbers follow for the caller, at *rest. */
static int prepare(Flow *flow, int depth, const int32_t *widths, int samples, const double *data, const double *rates,
                   int loss, size_t extra, double **rest) {
    memset(flow, 0, sizeof *flow);
    flow->depth = depth;
    flow->widths = widths;
    flow->dimension = widths[0];
    flow->samples = samples;
    flow->data = data;
    flow->rates = rates;
    flow->loss = loss;
    for (int l = 0; l < depth; l++) {
        flow->first[l] = flow->parameters;
        flow->before[l] = flow->inputs;
        flow->parameters += widths[l] * widths[l + 1];
        flow->inputs += widths[l];
    }
    flow->hidden = flow->inputs - flow->dimension;
    flow->unknowns = 2 * flow->hidden + flow->dimension + 1;
    const size_t d = flow->dimension, n = flow->inputs, h = flow->hidden, p = flow->parameters, k = flow->unknowns;
    const size_t sizes[] = {n + 1, n,     samples, samples, samples, d,     p,     n,     n,     depth, depth,
                            h * n, n * d, n * d,   p,       p,       p,     k * k, k * k, 2 * n * n, d, h * k,
                            n * k, p,     d * d,   d * d,   d,       d,     k,     n,     n,     k};
    double **const places[] = {&flow->suffix,      &flow->column,     &flow->margin,        &flow->slope,
                               &flow->bend_weight, &flow->gradient,   &flow->pull,          &flow->row_unit,
                               &flow->column_unit, &flow->row_length, &flow->column_length, &flow->coupling,
                               &flow->reach,       &flow->stiff,      &flow->scaled,        &flow->field,
                               &flow->tilt,        &flow->core,       &flow->lower,         &flow->between,
                               &flow->other,       &flow->after,      &flow->before_all,    &flow->cross,
                               &flow->curvature,   &flow->basis,      &flow->strength,      &flow->spread,
                               &flow->numbers,     &flow->inner,      &flow->outer,         (double **)&flow->pivot};
    size_t total = extra;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) total += sizes[i];
    flow->memory = calloc(total, sizeof(double));
    if (flow->memory == NULL) return 0;
    double *at = flow->memory;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *places[i] = at;
        at += sizes[i];
    }
    *rest = at;
    return 1;
}

/* The matrix that rescales backward differences when the step is multiplied by a factor, times that for 1. */
static void rescale(double *differences, int order, double factor, int n, double *memory) {
    double change[HIGHEST_ORDER + 1][HIGHEST_ORDER + 1], same[HIGHEST_ORDER + 1][HIGHEST_ORDER + 1];
    for (int j = 0; j <= order; j++) {
        change[0][j] = same[0][j] = 1;
        for (int i = 1; i <= order; i++) {
            change[i][j] = j == 0 ? 0 : change[i - 1][j] * (i - 1 - factor * j) / i;
            same[i][j] = j == 0 ? 0 : same[i - 1][j] * (i - 1 - j) / (double)i;
        }
    }
    for (int j = 0; j <= order; j++) {
        double *line = memory + (size_t)j * n;
        memset(line, 0, n * sizeof(double));
        for (int i = 0; i <= order; i++) {
            double weight = 0;
            for (int k = 0; k <= order; k++) weight += change[i][k] * same[k][j];
            const double *from = differences + (size_t)i * n;
            for (int m = 0; m < n; m++) line[m] += weight * from[m];
        }
    }
    memcpy(differences, memory, (size_t)(order + 1) * n * sizeof(double));
}

/* The point at a time of the last step, from the backward differences after it. */
static void interpolate(const double *differences, int order, double time, double now, double step, int n, double *y) {
    memcpy(y, differences, n * sizeof(double));
    double product = 1;
    for (int k = 1; k <= order; k++) {
        product *= (time - now + step * (k - 1)) / (step * k);
        const double *from = differences + (size_t)k * n;
        for (int i = 0; i < n; i++) y[i] += product * from[i];
    }
}

static double relative_norm(const double *x, const double *scale, int n, double factor) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++) {
        const double part = factor * x[i] / scale[i];
        sum += part * part;
    }
    return sqrt(sum / n);
}

typedef struct {
    Flow flow;
    Tick tick;
    long evaluations, most;
    int stopped;
} Work;

/* The field, counted; 0 if it is not finite, if too many evaluations were needed, or if the caller stops. */
static int evaluate(Work *work, double time, const double *theta, double *result) {
    work->evaluations++;
    if (work->evaluations % 500 == 0 && work->tick != NULL && work->tick(time)) work->stopped = STOPPED;
    if (work->evaluations > work->most) work->stopped = LOST;
    return !work->stopped && velocity(&work->flow, theta, result);
}

/* Follow a run from times[0] to the first time with log(1/R) = horizon, or to the last time.
 *
 * points: the weights at each time, and at the end, (times + 1) x parameters; rows that are not reached stay as they
 * are, but rows after the end are not filled here: `reached` is the number of rows before the end.
 * Returns REACHED_END, ARRIVED, LOST, STOPPED or NO_MEMORY.
 */
int dln_follow(int depth, const int32_t *widths, int samples, const double *data, const double *rates, int loss,
               const double *start, const double *times, int count, double horizon, double tolerance, long most,
               Tick tick, double *points, int32_t *reached, int64_t *spent) {
    Work work = {.tick = tick, .most = most};
    Flow *flow = &work.flow;
    double *rest;
    size_t parameters = 0;
    for (int l = 0; l < depth; l++) parameters += (size_t)widths[l] * widths[l + 1];
    const int n = (int)parameters, rows = HIGHEST_ORDER + 3;
    if (depth > MOST_LAYERS) return LOST;
    if (!prepare(flow, depth, widths, samples, data, rates, loss, (size_t)(2 * rows + 8) * n, &rest)) return NO_MEMORY;
    double *differences = rest, *spare = differences + (size_t)rows * n, *y = spare + (size_t)rows * n;
    double *predicted = y + n, *scale = predicted + n, *psi = scale + n, *d = psi + n, *f = d + n, *lifted = f + n;
    double *probe = lifted + n;
    const double rtol = tolerance, atol = tolerance / 100;
    const double kappa[] = {0, -0.1850, -1.0 / 9, -0.0823, -0.0415, 0};
    double gamma[HIGHEST_ORDER + 1] = {0}, alpha[HIGHEST_ORDER + 1], error_constant[HIGHEST_ORDER + 1];
    for (int k = 1; k <= HIGHEST_ORDER; k++) gamma[k] = gamma[k - 1] + 1.0 / k;
    for (int k = 0; k <= HIGHEST_ORDER; k++) {
        alpha[k] = (1 - kappa[k]) * gamma[k];
        error_constant[k] = kappa[k] * gamma[k] + 1.0 / (k + 1);
    }
    const double newton = fmax(10 * DBL_EPSILON / rtol, fmin(0.03, sqrt(rtol)));
    double now = times[0], end = times[count - 1];
    int status = LOST, next = 1;
    *reached = 1;
    memcpy(points, start, n * sizeof(double));
    memcpy(y, start, n * sizeof(double));

    /* The first step, by the differences of the field at two points (Hairer, Norsett, Wanner, II.4). */
    if (!evaluate(&work, now, y, f)) goto done;
    for (int i = 0; i < n; i++) scale[i] = atol + fabs(y[i]) * rtol;
    const double d0 = relative_norm(y, scale, n, 1), d1 = relative_norm(f, scale, n, 1);
    const double h0 = fmin(d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1, end - now);
    for (int i = 0; i < n; i++) probe[i] = y[i] + h0 * f[i];
    if (!evaluate(&work, now + h0, probe, psi)) goto done;
    for (int i = 0; i < n; i++) psi[i] -= f[i];
    const double d2 = relative_norm(psi, scale, n, 1) / h0;
    const double h1 = d1 <= 1e-15 && d2 <= 1e-15 ? fmax(1e-6, h0 * 1e-3) : sqrt(0.01 / fmax(d1, d2));
    double step = fmin(fmin(100 * h0, h1), end - now);
    memcpy(differences, y, n * sizeof(double));
    for (int i = 0; i < n; i++) differences[n + i] = f[i] * step;

    int order = 1, equal = 0, have = 0;
    if (!factorise(flow, y)) goto done;
    double arrival = log_inverse_risk(flow, y) / horizon - 1;
    while (now < end) {
        double later = 0, safety = 0, error = 0;
        int fresh = 0, accepted = 0;
        while (!accepted) {
            if (step < 10 * (nextafter(now, INFINITY) - now)) goto done;
            later = now + step;
            if (later > end) {
                rescale(differences, order, (end - now) / step, n, spare);
                step = end - now;
                later = end;
                equal = have = 0;
            }
            for (int i = 0; i < n; i++) {
                double sum = differences[i], change = 0;
                for (int k = 1; k <= order; k++) {
                    sum += differences[(size_t)k * n + i];
                    change += gamma[k] * differences[(size_t)k * n + i];
                }
                predicted[i] = sum;
                psi[i] = change / alpha[order];
                scale[i] = atol + rtol * fabs(sum);
            }
            const double c = step / alpha[order];
            int converged = 0, iterations = 0;
            while (!converged) {
                if (!have) have = decompose(flow, -c);
                memset(d, 0, n * sizeof(double));
                memcpy(y, predicted, n * sizeof(double));
                double before = -1;
                for (int k = 0; have && k < MOST_ITERATIONS; k++) {
                    iterations = k + 1;
                    if (!evaluate(&work, later, y, f)) break;
                    for (int i = 0; i < n; i++) f[i] = c * f[i] - psi[i] - d[i];
                    solve(flow, -c, f, lifted);
                    const double size = relative_norm(f, scale, n, 1);
                    const double rate = before < 0 ? -1 : size / before;
                    if (!(size < INFINITY)) break;
                    if (rate >= 0 && (rate >= 1 || pow(rate, MOST_ITERATIONS - k) / (1 - rate) * size > newton)) break;
                    for (int i = 0; i < n; i++) {
                        y[i] += f[i];
                        d[i] += f[i];
                    }
                    if (size == 0 || (rate >= 0 && rate / (1 - rate) * size < newton)) {
                        converged = 1;
                        break;
                    }
                    before = size;
                }
                if (work.stopped) goto done;
                if (converged || fresh) break;
                if (!factorise(flow, predicted)) goto done;
                fresh = 1;
                have = 0;
            }
            if (!converged) {
                step *= 0.5;
                rescale(differences, order, 0.5, n, spare);
                equal = have = 0;
                continue;
            }
            safety = 0.9 * (2 * MOST_ITERATIONS + 1) / (2 * MOST_ITERATIONS + iterations);
            for (int i = 0; i < n; i++) scale[i] = atol + rtol * fabs(y[i]);
            error = relative_norm(d, scale, n, error_constant[order]);
            if (error > 1) {
                const double factor = fmax(LEAST_FACTOR, safety * pow(error, -1.0 / (order + 1)));
                step *= factor;
                rescale(differences, order, factor, n, spare);
                equal = have = 0;
            } else if (error <= 1) {
                accepted = 1;
            } else {
                goto done;
            }
        }
        const double earlier = now, taken = step;
        equal++;
        now = later;
        for (int i = 0; i < n; i++) {
            differences[(size_t)(order + 2) * n + i] = d[i] - differences[(size_t)(order + 1) * n + i];
            differences[(size_t)(order + 1) * n + i] = d[i];
        }
        for (int k = order; k >= 0; k--)
            for (int i = 0; i < n; i++) differences[(size_t)k * n + i] += differences[(size_t)(k + 1) * n + i];

        const double there = log_inverse_risk(flow, y) / horizon - 1;
        double stop = now;
        if (arrival < 0 && there >= 0) {
            double low = earlier, high = now;
            for (int halving = 0; halving < 200 && high - low > 4 * DBL_EPSILON * high; halving++) {
                const double middle = low + (high - low) / 2;
                if (middle <= low || middle >= high) break;
                interpolate(differences, order, middle, now, taken, n, probe);
                *(log_inverse_risk(flow, probe) / horizon - 1 < 0 ? &low : &high) = middle;
            }
            stop = high;
            status = ARRIVED;
        }
        arrival = there;
        while (next < count && times[next] <= stop) {
            interpolate(differences, order, times[next], now, taken, n, points + (size_t)next * n);
            next++;
        }
        *reached = next;
        if (status == ARRIVED) {
            interpolate(differences, order, stop, now, taken, n, points + (size_t)count * n);
            goto done;
        }
        if (equal < order + 1) continue;

        double best = pow(error, -1.0 / (order + 1));
        int change = 0;
        if (order > 1) {
            const double lower = relative_norm(differences + (size_t)order * n, scale, n, error_constant[order - 1]);
            const double factor = pow(lower, -1.0 / order);
            if (factor > best) best = factor, change = -1;
        }
        if (order < HIGHEST_ORDER) {
            const double higher =
                relative_norm(differences + (size_t)(order + 2) * n, scale, n, error_constant[order + 1]);
            const double factor = pow(higher, -1.0 / (order + 2));
            if (factor > best) best = factor, change = 1;
        }
        order += change;
        const double factor = fmin(LARGEST_FACTOR, safety * best);
        step *= factor;
        rescale(differences, order, factor, n, spare);
        equal = have = 0;
    }
    memcpy(points + (size_t)count * n, points + (size_t)(count - 1) * n, n * sizeof(double));
    status = REACHED_END;
done:
    if (work.stopped) status = work.stopped;
    *spent = work.evaluations;
    free(flow->memory);
    return status;
}

/* The field at some weights, and the Jacobian times a vector, for tests. Returns 0 if they are not finite. */
int dln_field(int depth, const int32_t *widths, int samples, const double *data, const double *rates, int loss,
              const double *theta, const double *vector, double *field, double *moved) {
    Flow flow;
    double *rest;
    if (depth > MOST_LAYERS || !prepare(&flow, depth, widths, samples, data, rates, loss, 0, &rest)) return 0;
    const int finite = velocity(&flow, theta, field) && factorise(&flow, theta);
    if (finite) {
        project(&flow, vector, flow.numbers);
        lift(&flow, flow.numbers, moved);
    }
    free(flow.memory);
    return finite;
}

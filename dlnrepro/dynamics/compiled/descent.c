/* Gradient descent of linear networks with the squared loss, for all runs at once.
 *
 * A network is one chain W_L ... W_1, or several parallel chains (paths) whose products are added up to M. With the
 * loss R = 1/2 tr(M S M^T) - tr(M Z^T), a step is W_l <- W_l - e c_l (W_L ... W_{l+1})^T (M S - Z) (W_{l-1} ... W_1)^T,
 * with a step size e for each step and a factor c_l for each layer of each network; momentum m adds velocities,
 * V <- m V + dR/dW, W <- W - e c V.
 *
 * Several networks lie side by side in a `lane`, as many as one instruction can take: eight, four or two. Numbers of
 * different networks never meet: the result of one does not depend on the others or on how many there are. Matrices
 * of lanes are stored row by row. In memory outside, the last dimensions of a layer are (networks, paths, n_l, n_{l-1}).
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LAYERS 64

/* How many rows and columns of a product are computed together: they stay in registers, of which there are 32 or 16. */
#ifdef __AVX512F__
#define LANES 8
#define ROWS 4
#define COLUMNS 6
#else
#ifdef __AVX__
#define LANES 4
#else
#define LANES 2
#endif
#define ROWS 3
#define COLUMNS 4
#endif

typedef double lane __attribute__((vector_size(LANES * sizeof(double))));

/* Without it the sums of a block are not kept in registers. */
#define UNROLLED _Pragma("GCC unroll 8")

enum { NO_MOMENT, DIAGONAL_MOMENT, WHOLE_MOMENT };
enum { SET, ADD, STEP, ROLL };

/* What happens to the elements of a product: they are stored, added, or taken as a step along minus the gradient. */
typedef struct {
    int what;
    lane *velocity; /* for ROLL, beside the weights */
    lane size, momentum;
} Use;

/* A matrix of lanes as it is read: element (i, j) is at[i * down + j * right]. */
typedef struct {
    const lane *at;
    long down, right;
} View;

static inline __attribute__((always_inline)) void block(View a, View b, lane *c, long stride, int inner, const int rows,
                                                        const int columns, const Use *use) {
    lane sum[ROWS][COLUMNS];
    UNROLLED for (int i = 0; i < rows; i++)
        UNROLLED for (int j = 0; j < columns; j++) sum[i][j] = (lane){0};
    for (int k = 0; k < inner; k++) {
        const lane *left = a.at + k * a.right, *right = b.at + k * b.down;
        UNROLLED for (int j = 0; j < columns; j++) {
            const lane factor = right[j * b.right];
            UNROLLED for (int i = 0; i < rows; i++) sum[i][j] += left[i * a.down] * factor;
        }
    }
    UNROLLED for (int i = 0; i < rows; i++)
        UNROLLED for (int j = 0; j < columns; j++) {
            lane *place = c + i * stride + j;
            switch (use->what) {
            case SET: *place = sum[i][j]; break;
            case ADD: *place += sum[i][j]; break;
            case STEP: *place -= use->size * sum[i][j]; break;
            default: {
                lane *velocity = use->velocity + (place - c);
                *velocity = use->momentum * *velocity + sum[i][j];
                *place -= use->size * *velocity;
            }
            }
        }
}

#define WIDTH(R, C) case C: block(a, b, c, stride, inner, R, C, use); break;
#if COLUMNS == 6
#define HEIGHT(R) case R: switch (columns) { WIDTH(R, 1) WIDTH(R, 2) WIDTH(R, 3) WIDTH(R, 4) WIDTH(R, 5) WIDTH(R, 6) } break;
#else
#define HEIGHT(R) case R: switch (columns) { WIDTH(R, 1) WIDTH(R, 2) WIDTH(R, 3) WIDTH(R, 4) } break;
#endif

static void one_block(View a, View b, lane *c, long stride, int inner, int rows, int columns, const Use *use) {
    switch (rows) {
        HEIGHT(1) HEIGHT(2) HEIGHT(3)
#if ROWS == 4
        HEIGHT(4)
#endif
    }
}

/* C (rows x columns) is set to, gains, or steps along A (rows x inner) B (inner x columns). */
static void multiply(View a, View b, lane *c, int rows, int inner, int columns, Use use) {
    const int down = (rows + ROWS - 1) / ROWS, across = (columns + COLUMNS - 1) / COLUMNS;
    lane *velocity = use.velocity;
    for (int p = 0, i = 0; p < down; p++) {
        const int height = (rows - i) / (down - p);
        for (int q = 0, j = 0; q < across; q++) {
            const int width = (columns - j) / (across - q);
            const View left = {a.at + i * a.down, a.down, a.right}, right = {b.at + j * b.right, b.down, b.right};
            if (velocity) use.velocity = velocity + (long)i * columns + j;
            one_block(left, right, c + (long)i * columns + j, columns, inner, height, width, &use);
            j += width;
        }
        i += height;
    }
}

/* As many networks as a lane has, and the memory of their steps. Layers are counted from 0: layer l is W_{l+1}. */
typedef struct {
    int depth, paths, moment_kind, outputs, inputs;
    const int32_t *widths;         /* n_0 .. n_L */
    long weight_at[MOST_LAYERS];   /* where a layer begins among the weights of a path */
    long prefix_at[MOST_LAYERS];   /* where W_{l+1} ... W_1 begins among the products of a path, for 0 < l < L - 1 */
    long weights, prefixes, whole; /* numbers of one path, of its products, and of M */
    lane *weight, *velocity, *prefix, *matrix, *gradient, *back, *other, *moment, *cross, *rate;
    lane momentum;
} Block;

static View rows_of(const lane *at, long columns) { return (View){at, columns, 1}; }

static View transposed(const lane *at, long columns) { return (View){at, 1, columns}; }

/* W_{l+1} ... W_1 of a path, unless it is all of M. */
static lane *product_up_to(const Block *n, int path, int l) {
    return l == 0 ? n->weight + path * n->weights : n->prefix + path * n->prefixes + n->prefix_at[l];
}

/* M, and on the way the products of the first layers of each path. */
static void forward(const Block *n) {
    const Use set = {.what = SET}, add = {.what = ADD};
    const int32_t *width = n->widths;
    for (int p = 0; p < n->paths; p++) {
        const lane *weight = n->weight + p * n->weights;
        if (n->depth == 1) {
            for (long e = 0; e < n->whole; e++) n->matrix[e] = p ? n->matrix[e] + weight[e] : weight[e];
            continue;
        }
        for (int l = 1; l < n->depth; l++) {
            const int last = l == n->depth - 1;
            multiply(rows_of(weight + n->weight_at[l], width[l]), rows_of(product_up_to(n, p, l - 1), n->inputs),
                     last ? n->matrix : product_up_to(n, p, l), width[l + 1], width[l], n->inputs,
                     last && p ? add : set);
        }
    }
}

/* G = M S - Z. */
static void gradient_of_matrix(const Block *n) {
    const Use set = {.what = SET};
    if (n->moment_kind == WHOLE_MOMENT)
        multiply(rows_of(n->matrix, n->inputs), rows_of(n->moment, n->inputs), n->gradient, n->outputs, n->inputs,
                 n->inputs, set);
    for (long e = 0; e < n->whole; e++) {
        const lane pushed = n->moment_kind == WHOLE_MOMENT      ? n->gradient[e]
                            : n->moment_kind == DIAGONAL_MOMENT ? n->matrix[e] * n->moment[e % n->inputs]
                                                                : n->matrix[e];
        n->gradient[e] = pushed - n->cross[e];
    }
}

/* The step of a path, from the last layer to the first. Each layer is stepped after G has been carried back by it. */
static void backward(const Block *n, int path, double size) {
    const Use set = {.what = SET};
    const int32_t *width = n->widths;
    lane *weight = n->weight + path * n->weights, *velocity = n->velocity ? n->velocity + path * n->weights : NULL;
    lane *back = n->gradient;
    for (int l = n->depth - 1; l > 0; l--) {
        lane *onward = back == n->back ? n->other : n->back, *layer = weight + n->weight_at[l];
        multiply(transposed(layer, width[l]), rows_of(back, n->inputs), onward, width[l], width[l + 1], n->inputs, set);
        const Use take = {velocity ? ROLL : STEP, velocity ? velocity + n->weight_at[l] : NULL, size * n->rate[l],
                          n->momentum};
        multiply(rows_of(back, n->inputs), transposed(product_up_to(n, path, l - 1), n->inputs), layer, width[l + 1],
                 n->inputs, width[l], take);
        back = onward;
    }
    const lane first = size * n->rate[0];
    for (long e = 0; e < (long)width[1] * n->inputs; e++) {
        if (velocity) velocity[e] = n->momentum * velocity[e] + back[e];
        weight[e] -= first * (velocity ? velocity[e] : back[e]);
    }
}

/* Numbers of the networks of a block, which lie `stride` apart, into lanes. A lane without a network repeats the last one. */
static void gather(lane *to, const double *from, long count, long stride, long first, long networks) {
    for (int r = 0; r < LANES; r++) {
        const double *network = from + (first + r < networks ? first + r : networks - 1) * stride;
        for (long e = 0; e < count; e++) to[e][r] = network[e];
    }
}

static void scatter(const lane *from, double *to, long count, long stride, long first, long networks) {
    for (int r = 0; r < LANES && first + r < networks; r++)
        for (long e = 0; e < count; e++) to[(first + r) * stride + e] = from[e][r];
}

/* The layers of all networks, one after another, into the lanes of a block or out of them. */
static void move_layers(const Block *n, lane *inside, double *outside, long first, long networks, int inwards) {
    for (int l = 0; l < n->depth; l++) {
        const long size = (long)n->widths[l + 1] * n->widths[l], stride = n->paths * size;
        for (int p = 0; p < n->paths; p++) {
            lane *here = inside + p * n->weights + n->weight_at[l];
            double *there = outside + p * size;
            if (inwards) gather(here, there, size, stride, first, networks);
            else scatter(here, there, size, stride, first, networks);
        }
        outside += networks * stride;
    }
}

static Block block_of(int depth, const int32_t *widths, int paths, int moment_kind) {
    Block n = {.depth = depth, .paths = paths, .moment_kind = moment_kind, .widths = widths};
    n.outputs = widths[depth], n.inputs = widths[0], n.whole = (long)n.outputs * n.inputs;
    for (int l = 0; l < depth; l++) {
        n.weight_at[l] = n.weights, n.prefix_at[l] = n.prefixes;
        n.weights += (long)widths[l + 1] * widths[l];
        if (l > 0 && l < depth - 1) n.prefixes += (long)widths[l + 1] * n.inputs;
    }
    return n;
}

/* Memory for all lanes of a block; NULL if there is none. */
static lane *taken_memory(Block *n, int rolling) {
    long widest = n->inputs;
    for (int l = 1; l <= n->depth; l++) widest = widest > n->widths[l] ? widest : n->widths[l];
    const long inputs = n->inputs, moments = n->moment_kind == WHOLE_MOMENT ? inputs * inputs : inputs;
    const long sizes[] = {n->paths * n->weights, rolling ? n->paths * n->weights : 0, n->paths * n->prefixes, n->whole,
                          n->whole, widest * inputs, widest * inputs, moments, n->whole, n->depth};
    lane **const places[] = {&n->weight, &n->velocity, &n->prefix, &n->matrix, &n->gradient, &n->back, &n->other,
                             &n->moment, &n->cross, &n->rate};
    const int parts = sizeof sizes / sizeof *sizes;
    long all = 0;
    for (int part = 0; part < parts; part++) all += sizes[part];
    lane *memory = aligned_alloc(sizeof(lane), all * sizeof(lane));
    if (!memory) return NULL;
    lane *next = memory;
    for (int part = 0; part < parts; part++) *places[part] = next, next += sizes[part];
    if (!rolling) n->velocity = NULL;
    return memory;
}

/* Takes `steps` steps of the given sizes. The weights, and the velocities where there are any, are changed in place:
 * all layers in turn, each of (networks, paths, n_l, n_{l-1}). S is nothing for the identity, its diagonal of
 * (networks, n_0), or (networks, n_0, n_0), as `moment_kind` says; Z is (networks, n_L, n_0); c is (L, networks).
 * Returns 0, or 1 if there is no memory. */
int dln_descend(int depth, const int32_t *widths, int paths, long networks, double *weights, double *velocities,
                double momentum, int moment_kind, const double *moment, const double *cross, const double *rates,
                const double *sizes, long steps) {
    Block n = block_of(depth, widths, paths, moment_kind);
    lane *memory = taken_memory(&n, velocities != NULL);
    if (!memory) return 1;
    n.momentum = momentum - (lane){0};
    const long moments = moment_kind == WHOLE_MOMENT ? (long)n.inputs * n.inputs : n.inputs;
    for (long first = 0; first < networks; first += LANES) {
        move_layers(&n, n.weight, weights, first, networks, 1);
        if (velocities) move_layers(&n, n.velocity, velocities, first, networks, 1);
        if (moment_kind != NO_MOMENT) gather(n.moment, moment, moments, moments, first, networks);
        gather(n.cross, cross, n.whole, n.whole, first, networks);
        for (int l = 0; l < depth; l++) gather(n.rate + l, rates + l * networks, 1, 1, first, networks);
        for (long t = 0; t < steps; t++) {
            forward(&n);
            gradient_of_matrix(&n);
            for (int p = 0; p < paths; p++) backward(&n, p, sizes[t]);
        }
        move_layers(&n, n.weight, weights, first, networks, 0);
        if (velocities) move_layers(&n, n.velocity, velocities, first, networks, 0);
    }
    free(memory);
    return 0;
}

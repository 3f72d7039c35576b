/* Gradient descent of aligned, balanced paths: w_p <- w_p - e w_p^{L-1} (sum_r w_r^L - s), for all networks at once.
 *
 * Products and sums are rounded one by one, in the order of `pathways.aligned_paths`, so that both have the same bits.
 */

#include <stdlib.h>

#ifdef __AVX512F__
#define LANES 8
#elif defined(__AVX__)
#define LANES 4
#else
#define LANES 2
#endif
#define TOGETHER 4 /* lanes that are computed together, so that one need not wait for the other */
#define MOST_PATHS 64

typedef double lane __attribute__((vector_size(LANES * sizeof(double))));

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#define ROUNDED
#else
#define ROUNDED __attribute__((optimize("fp-contract=off")))
#endif

/* The numbers of the networks from `first` on, at most as many as there is room for; other places are 0. */
static void gather(lane *to, const double *from, long first, long networks) {
    for (int t = 0; t < TOGETHER; t++)
        for (int r = 0; r < LANES; r++) {
            const long network = first + t * LANES + r;
            to[t][r] = network < networks ? from[network] : 0.0;
        }
}

static void scatter(const lane *from, double *to, long first, long networks) {
    for (int t = 0; t < TOGETHER; t++)
        for (int r = 0; r < LANES; r++) {
            const long network = first + t * LANES + r;
            if (network < networks) to[network] = from[t][r];
        }
}

/* One step of four lanes of networks. `weight` and `total` are (paths, 4 lanes); `total` gains the contributions w^L,
 * if it is given. */
ROUNDED static void step(lane (*weight)[TOGETHER], lane (*total)[TOGETHER], const lane *size, double strength,
                         int paths, int depth) {
    lane below[MOST_PATHS][TOGETHER], residual[TOGETHER];
    for (int p = 0; p < paths; p++) {
        lane power[TOGETHER];
        for (int t = 0; t < TOGETHER; t++) power[t] = weight[p][t];
        for (int l = 2; l < depth; l++)
            for (int t = 0; t < TOGETHER; t++) power[t] *= weight[p][t];
        for (int t = 0; t < TOGETHER; t++) {
            below[p][t] = power[t];
            power[t] *= weight[p][t];
            residual[t] = p ? residual[t] + power[t] : power[t] - strength;
            if (total) total[p][t] += power[t];
        }
    }
    for (int t = 0; t < TOGETHER; t++) residual[t] *= size[t];
    for (int p = 0; p < paths; p++)
        for (int t = 0; t < TOGETHER; t++) weight[p][t] -= below[p][t] * residual[t];
}

/* Takes `steps` steps in place. `weights` and `totals` are (paths, networks), `sizes` (networks); `totals` may be
 * missing. There are at most 64 paths. */
void dln_descend_aligned(long networks, int paths, int depth, double strength, double *weights, double *totals,
                         const double *sizes, long steps) {
    lane weight[MOST_PATHS][TOGETHER], total[MOST_PATHS][TOGETHER], size[TOGETHER];
    for (long first = 0; first < networks; first += TOGETHER * LANES) {
        for (int p = 0; p < paths; p++) {
            gather(weight[p], weights + p * networks, first, networks);
            if (totals) gather(total[p], totals + p * networks, first, networks);
        }
        gather(size, sizes, first, networks);
        for (long t = 0; t < steps; t++) step(weight, totals ? total : NULL, size, strength, paths, depth);
        for (int p = 0; p < paths; p++) {
            scatter(weight[p], weights + p * networks, first, networks);
            if (totals) scatter(total[p], totals + p * networks, first, networks);
        }
    }
}

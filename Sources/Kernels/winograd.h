// What the Winograd kernels of all tables share. Private to this target.
#ifndef KAPTION_WINOGRAD_INTERNAL_H
#define KAPTION_WINOGRAD_INTERNAL_H

#include "include/kaption_winograd.h"
#include "table.h"

enum {
    // Floats of transformed weights that a second-level cache holds beside the tiles.
    KAPTION_WINOGRAD_CACHED = 1 << 18,
    // Filters from which on gathering the tiles pays: a point's product goes as kaption_gemm does, its weights packed for that.
    KAPTION_WINOGRAD_GATHERED = 48
};

// Tiles that are transformed together.
size_t kaption_winograd_tiles(size_t outputs, size_t height, size_t width, size_t in, size_t out);

// Floats from one point's tiles to the next one's: one cache line more than they take, so that the points of a tile do not fall into one
// set of the first-level cache.
static inline size_t kaption_winograd_plane(size_t tiles, size_t channels) {
    return tiles * kaption_round_up(channels) + KAPTION_LANES;
}

// Both transforms of F(4, 3) stand on the points 0, ±3/4, ±3/2 and ∞ instead of the usual ±1 and ±2: with them the result is as near to the exact
// one as the direct sum's (measured: a fifth of the error). All coefficients are exact in binary.
//
// Bᵀ: `side` values along a row of an input tile to as many points. `Type` is a vector or a float.
#define KAPTION_WINOGRAD_FORWARD(name, Type, attributes, add, subtract, multiply, multiply_add, repeated)              \
    attributes void name(const int side, const Type *d, Type *to) {                                                    \
        if (side == 6) {                                                                                               \
            const Type even_1 = multiply_add(repeated(-2.25f), d[2], d[4]);                                            \
            const Type odd_1 = multiply(repeated(0.75f), multiply_add(repeated(-2.25f), d[1], d[3]));                  \
            const Type even_2 = multiply_add(repeated(-0.5625f), d[2], d[4]);                                          \
            const Type odd_2 = multiply(repeated(1.5f), multiply_add(repeated(-0.5625f), d[1], d[3]));                 \
            to[0] = multiply_add(repeated(1.265625f), d[0], multiply_add(repeated(-2.8125f), d[2], d[4]));             \
            to[1] = add(even_1, odd_1);                                                                                \
            to[2] = subtract(even_1, odd_1);                                                                           \
            to[3] = add(even_2, odd_2);                                                                                \
            to[4] = subtract(even_2, odd_2);                                                                           \
            to[5] = multiply_add(repeated(1.265625f), d[1], multiply_add(repeated(-2.8125f), d[3], d[5]));             \
        } else {                                                                                                       \
            to[0] = subtract(d[0], d[2]);                                                                              \
            to[1] = add(d[1], d[2]);                                                                                   \
            to[2] = subtract(d[2], d[1]);                                                                              \
            to[3] = subtract(d[1], d[3]);                                                                              \
        }                                                                                                              \
    }

// Aᵀ: the points of a row back to side − 2 outputs.
#define KAPTION_WINOGRAD_BACKWARD(name, Type, attributes, add, subtract, multiply, multiply_add, repeated)             \
    attributes void name(const int side, const Type *m, Type *to) {                                                    \
        if (side == 6) {                                                                                               \
            const Type sum_1 = add(m[1], m[2]), difference_1 = subtract(m[1], m[2]);                                   \
            const Type sum_2 = add(m[3], m[4]), difference_2 = subtract(m[3], m[4]);                                   \
            to[0] = add(add(m[0], sum_1), sum_2);                                                                      \
            to[1] = multiply_add(repeated(1.5f), difference_2, multiply(repeated(0.75f), difference_1));               \
            to[2] = multiply_add(repeated(2.25f), sum_2, multiply(repeated(0.5625f), sum_1));                          \
            to[3] = multiply_add(repeated(3.375f), difference_2, multiply_add(repeated(0.421875f), difference_1, m[5])); \
        } else {                                                                                                       \
            to[0] = add(add(m[0], m[1]), m[2]);                                                                        \
            to[1] = subtract(subtract(m[1], m[2]), m[3]);                                                              \
        }                                                                                                              \
    }

#endif

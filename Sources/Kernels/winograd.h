// What the Winograd kernels of all tables share: how a tile looks along one axis, and its transforms. Private to this target.
#ifndef KAPTION_WINOGRAD_INTERNAL_H
#define KAPTION_WINOGRAD_INTERNAL_H

#include "include/kaption_winograd.h"
#include "table.h"

enum {
    // Floats of transformed weights that a second-level cache holds beside the tiles.
    KAPTION_WINOGRAD_CACHED = 1 << 18,
    // Filters from which on gathering the tiles pays: a point's product goes as kaption_gemm does, its weights packed for that.
    KAPTION_WINOGRAD_GATHERED = 48,
    // The most points and outputs of a tile along an axis.
    KAPTION_WINOGRAD_SIDE = 9,
    KAPTION_WINOGRAD_OUTPUTS = 4
};

// A tile along one axis. It reads as many inputs as it has points. One tap and one output are the identity.
typedef struct {
    size_t taps, outputs;
} kaption_winograd_axis;

static inline size_t kaption_winograd_side(kaption_winograd_axis axis) { return axis.outputs + axis.taps - 1; }

static inline kaption_winograd_axis kaption_winograd_down(const kaption_window *window, kaption_winograd_tile tile) {
    return (kaption_winograd_axis){window->kernel_height, tile.height};
}
static inline kaption_winograd_axis kaption_winograd_across(const kaption_window *window, kaption_winograd_tile tile) {
    return (kaption_winograd_axis){window->kernel_width, tile.width};
}

// Tiles that are transformed together, of `all`.
size_t kaption_winograd_block(size_t points, size_t all, size_t in, size_t out);

// Floats from one point's tiles to the next one's: one cache line more than they take, so that the points of a tile do not fall into one
// set of the first-level cache.
static inline size_t kaption_winograd_plane(size_t tiles, size_t channels) {
    return tiles * kaption_round_up(channels) + KAPTION_LANES;
}

// The transforms stand on ∞ and
//   F(2, 3):              0, ±1
//   F(4, 3) and F(2, 5):  0, ±3/4, ±3/2
//   F(3, 7):              ±1/4, ±5/8, ±9/8, ±2
// where with the usual points, small integers and their reciprocals, F(4, 3) has five times the error and F(3, 7) twice. All coefficients are
// exact in binary.
//
// Bᵀ: the inputs of a tile along an axis to as many points. `Type` is a vector or a float.
#define KAPTION_WINOGRAD_FORWARD(name, Type, attributes, add, subtract, multiply, multiply_add, repeated)              \
    attributes void name(const kaption_winograd_axis axis, const Type *d, Type *to) {                                  \
        const size_t side = kaption_winograd_side(axis);                                                               \
        if (side == 1) {                                                                                               \
            to[0] = d[0];                                                                                              \
        } else if (side == 4) {                                                                                        \
            to[0] = subtract(d[2], d[0]);                                                                              \
            to[1] = add(d[1], d[2]);                                                                                   \
            to[2] = subtract(d[2], d[1]);                                                                              \
            to[3] = subtract(d[3], d[1]);                                                                              \
        } else if (side == 6) {                                                                                        \
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
            /* The product of x² − p² over the other three pairs ±p is x⁶ + a x⁴ + b x² + c. */                        \
            static const float others[4][3] = {{-181 / 32.0f, 29161 / 4096.0f, -2025 / 1024.0f},                       \
                                               {-341 / 64.0f, 5521 / 1024.0f, -81 / 256.0f},                           \
                                               {-285 / 64.0f, 1881 / 1024.0f, -25 / 256.0f},                           \
                                               {-55 / 32.0f, 2449 / 4096.0f, -2025 / 65536.0f}};                       \
            static const float points[4] = {0.25f, 0.625f, 1.125f, 2.0f};                                              \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i++) {                                           \
                const Type a = repeated(others[i][0]), b = repeated(others[i][1]), c = repeated(others[i][2]);         \
                const Type even = multiply_add(a, d[4], multiply_add(b, d[2], multiply_add(c, d[0], d[6])));           \
                const Type odd = multiply_add(a, d[5], multiply_add(b, d[3], multiply_add(c, d[1], d[7])));            \
                const Type scaled_even = multiply(repeated(points[i]), even);                                          \
                to[2 * i] = add(odd, scaled_even);                                                                     \
                to[2 * i + 1] = subtract(odd, scaled_even);                                                            \
            }                                                                                                          \
            const Type inner = multiply_add(repeated(30609 / 4096.0f), d[4], multiply_add(repeated(-158761 / 65536.0f), d[2],\
                                                                                          multiply(repeated(2025 / 16384.0f), d[0])));\
            to[8] = add(multiply_add(repeated(-183 / 32.0f), d[6], d[8]), inner);                                      \
        }                                                                                                              \
    }

// Aᵀ: the points of a tile along an axis back to its outputs.
#define KAPTION_WINOGRAD_BACKWARD(name, Type, attributes, add, subtract, multiply, multiply_add, repeated)             \
    attributes void name(const kaption_winograd_axis axis, const Type *m, Type *to) {                                  \
        const size_t side = kaption_winograd_side(axis);                                                               \
        if (side == 1) {                                                                                               \
            to[0] = m[0];                                                                                              \
        } else if (side == 4) {                                                                                        \
            to[0] = add(add(m[0], m[1]), m[2]);                                                                        \
            to[1] = add(subtract(m[1], m[2]), m[3]);                                                                   \
        } else if (side == 6) {                                                                                        \
            const Type sum_1 = add(m[1], m[2]), difference_1 = subtract(m[1], m[2]);                                   \
            const Type sum_2 = add(m[3], m[4]), difference_2 = subtract(m[3], m[4]);                                   \
            to[0] = add(add(m[0], sum_1), sum_2);                                                                      \
            to[1] = multiply_add(repeated(1.5f), difference_2, multiply(repeated(0.75f), difference_1));               \
            if (axis.outputs == 2) {                                                                                   \
                to[1] = add(to[1], m[5]);                                                                              \
            } else {                                                                                                   \
                to[2] = multiply_add(repeated(2.25f), sum_2, multiply(repeated(0.5625f), sum_1));                      \
                to[3] = multiply_add(repeated(3.375f), difference_2, multiply_add(repeated(0.421875f), difference_1, m[5]));\
            }                                                                                                          \
        } else {                                                                                                       \
            const Type sum_1 = add(m[0], m[1]), difference_1 = subtract(m[0], m[1]);                                   \
            const Type sum_2 = add(m[2], m[3]), difference_2 = subtract(m[2], m[3]);                                   \
            const Type sum_3 = add(m[4], m[5]), difference_3 = subtract(m[4], m[5]);                                   \
            const Type sum_4 = add(m[6], m[7]), difference_4 = subtract(m[6], m[7]);                                   \
            to[0] = add(add(sum_1, sum_2), add(sum_3, sum_4));                                                         \
            to[1] = multiply_add(repeated(0.625f), difference_2, multiply(repeated(0.25f), difference_1));             \
            to[1] = multiply_add(repeated(2.0f), difference_4, multiply_add(repeated(1.125f), difference_3, to[1]));   \
            to[2] = multiply_add(repeated(0.390625f), sum_2, multiply_add(repeated(0.0625f), sum_1, m[8]));            \
            to[2] = multiply_add(repeated(4.0f), sum_4, multiply_add(repeated(1.265625f), sum_3, to[2]));              \
        }                                                                                                              \
    }

#endif

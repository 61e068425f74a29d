#pragma clang fp contract(off)
#include "winograd.h"

size_t kaption_winograd_outputs(const kaption_window *window, size_t groups, size_t height, size_t width, size_t in,
                                size_t out) {
    const int fits = groups == 1 && window->kernel_height == 3 && window->kernel_width == 3 && window->stride_height == 1 &&
                     window->stride_width == 1 && window->dilation_height == 1 && window->dilation_width == 1;
    // Below that the transforms cost more than the products save.
    if (!fits || in < 32 || out < 32) return 0;
    const size_t tiles = (height + 3) / 4 * ((width + 3) / 4);
    // The transformed weights are read once a block of tiles: few tiles do not pay for reading four times the weights. Over few channels,
    // as in a network's first layers, whose errors all others carry on, F(4, 3)'s rounding outweighs the sum's own.
    if (tiles >= 12) return in < 48 ? 2 : 4;
    return height * width >= 36 ? 2 : 0;
}

size_t kaption_winograd_tiles(size_t outputs, size_t height, size_t width, size_t in, size_t out) {
    const size_t all = (height + outputs - 1) / outputs * ((width + outputs - 1) / outputs);
    const size_t points = (outputs + 2) * (outputs + 2);
    // Weights that stay in the second-level cache are cheap to read again; others want many tiles.
    const size_t weights = points * in * out, room = weights <= KAPTION_WINOGRAD_CACHED ? 1 << 18 : 1 << 20;
    size_t tiles = room / (points * (in + out)) / 8 * 8;
    tiles = tiles < 16 ? 16 : tiles > 64 ? 64 : tiles;
    return tiles < all ? tiles : all;
}

size_t kaption_winograd_scratch_floats(size_t outputs, size_t height, size_t width, size_t in, size_t out) {
    const size_t tiles = kaption_winograd_tiles(outputs, height, width, in, out);
    return (outputs + 2) * (outputs + 2) *
           (kaption_winograd_plane(tiles, in) + kaption_winograd_plane(tiles, out));
}

size_t kaption_winograd_packed_floats(kaption_isa isa, size_t outputs, size_t out, size_t in) {
    return (outputs + 2) * (outputs + 2) * kaption_table_of(isa)->packed_floats(out, in);
}

// G: how the three weights of a row become those of the points. A point x of F(4, 3) has the row (1, x, x²) ÷ the product of its
// distances to the others: 1/(2a²(a² − b²)) for ±a, 1/(a²b²) for 0, with a = 3/4 and b = 3/2.
#define ROW_OF(x, scale) {(scale), (scale) * (x), (scale) * (x) * (x)}
static const double points_of_4[6][3] = {{1 / 1.265625, 0, 0},
                                         ROW_OF(0.75, 1 / (1.125 * (0.5625 - 2.25))),
                                         ROW_OF(-0.75, 1 / (1.125 * (0.5625 - 2.25))),
                                         ROW_OF(1.5, 1 / (4.5 * (2.25 - 0.5625))),
                                         ROW_OF(-1.5, 1 / (4.5 * (2.25 - 0.5625))),
                                         {0, 0, 1}};
static const double points_of_2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

void kaption_winograd_pack(kaption_isa isa, size_t outputs, size_t out, size_t in, const float *w, float *scratch,
                           float *packed) {
    const kaption_table *table = kaption_table_of(isa);
    const double(*g)[3] = outputs == 4 ? points_of_4 : points_of_2;
    const size_t side = outputs + 2, floats = table->packed_floats(out, in);
    for (size_t point = 0; point < side * side; point++) {
        const double *down = g[point / side], *across = g[point % side];
        for (size_t j = 0; j < out; j++) {
            for (size_t c = 0; c < in; c++) {
                double sum = 0;
                for (size_t t = 0; t < 9; t++) sum += down[t / 3] * across[t % 3] * (double)w[(j * 9 + t) * in + c];
                scratch[j * in + c] = (float)sum;
            }
        }
        (out >= KAPTION_WINOGRAD_GATHERED ? table->gemm_pack : table->pack)(out, in, scratch, in, packed + point * floats);
    }
}

#pragma clang fp contract(off)
#include "winograd.h"

static size_t points_of(const kaption_window *window, kaption_winograd_tile tile) {
    return kaption_winograd_side(kaption_winograd_down(window, tile)) * kaption_winograd_side(kaption_winograd_across(window, tile));
}

static size_t tiles_of(kaption_winograd_tile tile, size_t height, size_t width) {
    return (height + tile.height - 1) / tile.height * ((width + tile.width - 1) / tile.width);
}

kaption_winograd_tile kaption_winograd_tile_of(const kaption_window *window, size_t groups, size_t height, size_t width, size_t in,
                                               size_t out) {
    const kaption_winograd_tile none = {0, 0};
    const size_t down = window->kernel_height, across = window->kernel_width;
    // Below 32 channels the transforms cost more than the products save.
    if (groups != 1 || in < 32 || out < 32 || window->stride_height != 1 || window->stride_width != 1 || window->dilation_height != 1 ||
        window->dilation_width != 1)
        return none;
    // The transformed weights are read once a block of tiles: few tiles do not pay for reading that many more weights.
    enum { TILES = 12 };
    kaption_winograd_tile tile = none;
    if (down == 3 && across == 3) {
        tile = (kaption_winograd_tile){4, 4};
        // Over few channels, as in a network's first layers, whose errors all others carry on, F(4, 3)'s rounding outweighs the sum's own.
        if (tiles_of(tile, height, width) >= TILES) return in < 48 ? (kaption_winograd_tile){2, 2} : tile;
        return height * width >= 36 ? (kaption_winograd_tile){2, 2} : none;
    }
    if (down == 5 && across == 5) tile = (kaption_winograd_tile){2, 2};
    if (down == 7 && across == 1) tile = (kaption_winograd_tile){3, 1};
    if (down == 1 && across == 7) tile = (kaption_winograd_tile){1, 3};
    if (down == 3 && across == 1) tile = (kaption_winograd_tile){4, 1};
    if (down == 1 && across == 3) tile = (kaption_winograd_tile){1, 4};
    return tile.height != 0 && tiles_of(tile, height, width) >= TILES ? tile : none;
}

size_t kaption_winograd_block(size_t points, size_t all, size_t in, size_t out) {
    // Weights that stay in the second-level cache are cheap to read again; others want many tiles.
    const size_t weights = points * in * out, room = weights <= KAPTION_WINOGRAD_CACHED ? 1 << 18 : 1 << 20;
    size_t tiles = room / (points * (in + out)) / 8 * 8;
    tiles = tiles < 16 ? 16 : tiles > 64 ? 64 : tiles;
    return tiles < all ? tiles : all;
}

size_t kaption_winograd_scratch_floats(const kaption_window *window, kaption_winograd_tile tile, size_t height, size_t width, size_t in,
                                       size_t out) {
    const size_t points = points_of(window, tile), tiles = kaption_winograd_block(points, tiles_of(tile, height, width), in, out);
    return points * (kaption_winograd_plane(tiles, in) + kaption_winograd_plane(tiles, out));
}

size_t kaption_winograd_packed_floats(kaption_isa isa, const kaption_window *window, kaption_winograd_tile tile, size_t out, size_t in) {
    return points_of(window, tile) * kaption_table_of(isa)->packed_floats(out, in);
}

// G of F(·, r) on the finite points and ∞: how r weights become those of the points. A finite point x has the row (1, x, x²…) ÷ the product
// of its distances to the others.
static void fill_rows(const double *finite, size_t count, size_t taps, double rows[][7]) {
    for (size_t i = 0; i < count; i++) {
        double value = 1;
        for (size_t k = 0; k < count; k++) value = k == i ? value : value / (finite[i] - finite[k]);
        for (size_t t = 0; t < taps; t++, value *= finite[i]) rows[i][t] = value;
    }
    for (size_t t = 0; t < taps; t++) rows[count][t] = t + 1 == taps;
}

// G of a tile along an axis: [point][tap].
static void fill_matrix(kaption_winograd_axis axis, double g[KAPTION_WINOGRAD_SIDE][7]) {
    static const double three[] = {0, 1, -1}, five[] = {0, 0.75, -0.75, 1.5, -1.5};
    static const double eight[] = {0.25, -0.25, 0.625, -0.625, 1.125, -1.125, 2, -2};
    const size_t side = kaption_winograd_side(axis);
    if (side == 1) g[0][0] = 1;
    else fill_rows(side == 4 ? three : side == 6 ? five : eight, side - 1, axis.taps, g);
}

void kaption_winograd_pack(kaption_isa isa, const kaption_window *window, kaption_winograd_tile tile, size_t out, size_t in,
                           const float *w, float *scratch, float *packed) {
    const kaption_table *table = kaption_table_of(isa);
    const kaption_winograd_axis down = kaption_winograd_down(window, tile), across = kaption_winograd_across(window, tile);
    const size_t width = kaption_winograd_side(across), points = kaption_winograd_side(down) * width, taps = down.taps * across.taps;
    const size_t floats = table->packed_floats(out, in);
    double rows[KAPTION_WINOGRAD_SIDE][7], columns[KAPTION_WINOGRAD_SIDE][7];
    fill_matrix(down, rows);
    fill_matrix(across, columns);
    for (size_t point = 0; point < points; point++) {
        for (size_t j = 0; j < out; j++) {
            for (size_t c = 0; c < in; c++) {
                double sum = 0;
                for (size_t t = 0; t < taps; t++)
                    sum += rows[point / width][t / across.taps] * columns[point % width][t % across.taps] * (double)w[(j * taps + t) * in + c];
                scratch[j * in + c] = (float)sum;
            }
        }
        (out >= KAPTION_WINOGRAD_GATHERED ? table->gemm_pack : table->pack)(out, in, scratch, in, packed + point * floats);
    }
}

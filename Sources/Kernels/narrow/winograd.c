#pragma clang fp contract(off)
#include "winograd.h"

enum {
    // Below these the transforms cost more than the products save.
    FEWEST_CHANNELS = 16,
    // The weights are eight times as many bytes as they were, and are read once a block of tiles: few tiles do not pay for that, and for large
    // ones more must, for their memory's sake.
    FEWEST_TILES = 9,
    LARGE_WEIGHTS = 1 << 22,
    FEWEST_TILES_OF_LARGE = 24,
    MOST_BLOCK = 64,
    // Of points and products, which so stay in the second-level cache. Large weights take longer to read for each block than the points of a
    // larger one do.
    BLOCK_BYTES = 1 << 19
};

static size_t weight_bytes(const narrow_winograd *cut, const kaption_layer *layer) {
    return NARROW_WINOGRAD_POINTS * cut->pairs * layer->output.channels * sizeof(uint32_t);
}

int narrow_goes_by_winograd(const narrow_table *table, const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    if (!table->has_winograd || layer->operation != KAPTION_CONVOLUTION || layer->input_numbers.element != KAPTION_UINT8 ||
        layer->groups != 1 || !narrow_is_square(window, 3) || window->stride_height * window->stride_width != 1 ||
        window->dilation_height * window->dilation_width != 1)
        return 0;
    if (layer->input.channels < FEWEST_CHANNELS || layer->output.channels < FEWEST_CHANNELS ||
        layer->output.height * layer->output.width == 0)
        return 0;
    const narrow_winograd cut = narrow_winograd_of(layer);
    // Of tiles that reach beyond the image at most a third is lost.
    const size_t computed = cut.tiles * NARROW_WINOGRAD_OUTPUTS * NARROW_WINOGRAD_OUTPUTS;
    const size_t fewest = weight_bytes(&cut, layer) > LARGE_WEIGHTS ? FEWEST_TILES_OF_LARGE : FEWEST_TILES;
    return cut.tiles >= fewest && 2 * computed <= 3 * layer->output.height * layer->output.width;
}

narrow_winograd narrow_winograd_of(const kaption_layer *layer) {
    const size_t outputs = NARROW_WINOGRAD_OUTPUTS, most = NARROW_WINOGRAD_CHANNELS / 2;
    narrow_winograd cut = {.columns = (layer->output.width + outputs - 1) / outputs, .pairs = (layer->input.channels + 1) / 2};
    cut.tiles = (layer->output.height + outputs - 1) / outputs * cut.columns;
    const size_t chunks = (cut.pairs + most - 1) / most;
    cut.chunk = (cut.pairs + chunks - 1) / chunks;
    // Whole vectors of words in every table.
    cut.row_bytes = kaption_round_up(cut.pairs) * sizeof(uint32_t);
    const size_t tile_bytes = NARROW_WINOGRAD_POINTS * (cut.row_bytes + 3 * KAPTION_LANES * sizeof(int32_t));
    cut.block = weight_bytes(&cut, layer) > LARGE_WEIGHTS ? MOST_BLOCK : BLOCK_BYTES / tile_bytes / 8 * 8;
    cut.block = cut.block < 16 ? 16 : cut.block > MOST_BLOCK ? MOST_BLOCK : cut.block;
    // Blocks of the same size, or nearly.
    const size_t blocks = (cut.tiles + cut.block - 1) / cut.block;
    cut.block = (cut.tiles + blocks - 1) / blocks;
    // A cache line more than they take, so that the points of a tile do not fall into one set of the first-level cache.
    cut.plane_bytes = cut.block * cut.row_bytes + 64;
    return cut;
}

size_t narrow_winograd_scratch_floats(const narrow_packing *packing, const kaption_layer *layer) {
    const narrow_winograd cut = narrow_winograd_of(layer);
    const size_t width = packing->lanes * packing->tile_vectors, outputs = NARROW_WINOGRAD_OUTPUTS * NARROW_WINOGRAD_OUTPUTS;
    return kaption_round_up(narrow_winograd_point_bytes(&cut) / sizeof(float) +
                            NARROW_WINOGRAD_POINTS * narrow_winograd_product_plane(&cut, width) + cut.block * outputs * width);
}

size_t narrow_winograd_floats(const narrow_packing *packing, const kaption_layer *layer) {
    const size_t vectors = (layer->output.channels + packing->lanes - 1) / packing->lanes;
    return kaption_round_up(NARROW_WINOGRAD_POINTS * narrow_winograd_of(layer).pairs * vectors * packing->lanes);
}

// The weights along an axis, a step apart, to points, each times what makes it whole.
static void to_points(const int *g, size_t step, int *to, size_t to_step) {
    const int first = g[0], middle = g[step], last = g[2 * step];
    to[0] = 6 * first;
    to[to_step] = -(first + middle + last);
    to[2 * to_step] = -(first - middle + last);
    to[3 * to_step] = first + 2 * middle + 4 * last;
    to[4 * to_step] = first - 2 * middle + 4 * last;
    to[5 * to_step] = 6 * last;
}

// One filter's weights, w[tap][channels], of channel c.
static void filter_points(const float *w, size_t channels, size_t c, float scale, int points[NARROW_WINOGRAD_POINTS]) {
    int taps[9], columns[NARROW_WINOGRAD_SIDE * 3];
    for (size_t t = 0; t < 9; t++) taps[t] = narrow_quantised(w[t * channels + c], scale);
    for (size_t column = 0; column < 3; column++) to_points(taps + column, 3, columns + column, 3);
    for (size_t row = 0; row < NARROW_WINOGRAD_SIDE; row++) to_points(columns + row * 3, 1, points + row * NARROW_WINOGRAD_SIDE, 1);
}

void narrow_pack_winograd(const narrow_packing *packing, const kaption_layer *layer, const float *w, const float *scales, uint32_t *to) {
    const narrow_winograd cut = narrow_winograd_of(layer);
    const size_t filters = layer->output.channels, channels = layer->input.channels;
    for (size_t j = 0; j < filters;) {
        const size_t width = narrow_panel_vectors(filters - j, packing->lanes, packing->tile_vectors) * packing->lanes;
        for (size_t begin = 0; begin < cut.pairs; begin += cut.chunk) {
            const size_t pairs = cut.pairs - begin < cut.chunk ? cut.pairs - begin : cut.chunk;
            for (size_t l = 0; l < width && j + l < filters; l++)
                for (size_t c = 2 * begin; c < 2 * (begin + pairs) && c < channels; c++) {
                    int points[NARROW_WINOGRAD_POINTS];
                    filter_points(w + (j + l) * 9 * channels, channels, c, scales[j + l], points);
                    for (size_t p = 0; p < NARROW_WINOGRAD_POINTS; p++)
                        to[(p * pairs + c / 2 - begin) * width + l] |= (uint32_t)(uint16_t)points[p] << (16 * (c % 2));
                }
            to += NARROW_WINOGRAD_POINTS * pairs * width;
        }
        j += width;
    }
}

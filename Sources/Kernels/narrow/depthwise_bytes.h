// Depthwise convolutions of bytes with VNNI. A row of output takes its columns, 64 channels of them, from a buffer in which the bytes of up to
// four rows of a channel lie side by side: a dot product is then four taps, and a column is put in order once for all windows that it is in.
// The exact sums are those of depthwise.h. Windows of 3×3 need no buffer (depthwise_byte_windows.h).

// Vector v of a column holds the channels 16·l + 4·v + i in lane 4·l + i: unpacking leaves them so, and packing the sums undoes it.
INLINE void transpose_lanes(const __m512i from[4], __m512i to[4]) {
    const __m512i a = _mm512_shuffle_i32x4(from[0], from[1], 0x44), b = _mm512_shuffle_i32x4(from[2], from[3], 0x44);
    const __m512i c = _mm512_shuffle_i32x4(from[0], from[1], 0xee), d = _mm512_shuffle_i32x4(from[2], from[3], 0xee);
    to[0] = _mm512_shuffle_i32x4(a, b, 0x88);
    to[1] = _mm512_shuffle_i32x4(a, b, 0xdd);
    to[2] = _mm512_shuffle_i32x4(c, d, 0x88);
    to[3] = _mm512_shuffle_i32x4(c, d, 0xdd);
}
INLINE void load_lanes(const void *constants, size_t left, __m512i to[4]) {
    __m512i from[4];
#pragma clang loop unroll(full)
    for (size_t l = 0; l < 4; l++) from[l] = _mm512_loadu_si512((const float *)constants + (16 * l < left ? 16 * l : 0));
    transpose_lanes(from, to);
}

// Of 64 channels, in the order of the vectors.
typedef struct {
    __m512i start[4], multiplier[4], offset[4];
} byte_constants;

typedef struct {
    const kaption_layer *layer;
    narrow_constants constants;
    narrow_tail tail;
    size_t quads;        // vectors' worth of four rows in a window's height
    const int8_t *weights;  // of the channels at hand: [column][quad][4 vectors][64 bytes]
    size_t channel, count;
    byte_tail_kind kind;
    int is_half;  // at most 32 channels: half vectors, and two outputs share a tail
    byte_constants of;
    uint8_t *columns;  // [column][quad][4 vectors][64 bytes]
} byte_columns;

// Loads the constants of 64 channels in the order of the vectors.
static void load_channels(byte_columns *p, size_t channel) {
    const size_t left = kaption_round_up(p->layer->output.channels) - channel;
    load_lanes(p->constants.start + channel, left, p->of.start);
    load_lanes(p->constants.multiplier + channel, left, p->of.multiplier);
    load_lanes(p->constants.offset + channel, left, p->of.offset);
    p->channel = channel;
    p->count = p->layer->output.channels - channel < 64 ? p->layer->output.channels - channel : 64;
    p->is_half = p->count <= 32 && p->kind != BYTE_TAIL_OTHER;
    for (int v = 0; p->is_half && v < 4; v++) {
        p->of.multiplier[v] = _mm512_shuffle_i64x2(p->of.multiplier[v], p->of.multiplier[v], 0x44);
        p->of.offset[v] = _mm512_shuffle_i64x2(p->of.offset[v], p->of.offset[v], 0x44);
    }
    const size_t group = p->layer->window.kernel_width * p->quads * 256;
    p->weights = (const int8_t *)(const void *)p->constants.weights + channel / 64 * group;
}

// A column of four rows as dot products take it: each channel's four bytes side by side.
INLINE void in_order(const __m512i rows[4], __m512i to[4], const int is_half) {
    const __m512i low = low_bytes_in_turn(rows[0], rows[1], is_half), high = high_bytes_in_turn(rows[0], rows[1], is_half);
    const __m512i next_low = low_bytes_in_turn(rows[2], rows[3], is_half), next_high = high_bytes_in_turn(rows[2], rows[3], is_half);
    to[0] = low_pairs_in_turn(low, next_low, is_half);
    to[1] = high_pairs_in_turn(low, next_low, is_half);
    to[2] = low_pairs_in_turn(high, next_high, is_half);
    to[3] = high_pairs_in_turn(high, next_high, is_half);
}

// A column of the four rows from `rows` on, `height` of them the window's.
INLINE void order_column(const uint8_t *const *rows, const size_t height, __mmask64 mask, uint8_t *to, const int is_half) {
    __m512i taps[4], ordered[4];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++) taps[i] = i < height ? load_masked_bytes(mask, rows[i], is_half) : _mm512_setzero_si512();
    in_order(taps, ordered, is_half);
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 4; v++) store_whole_bytes(to + 64 * v, ordered[v], is_half);
}

// Four vectors of sums as bytes, in the order of the channels.
INLINE __m512i finished_bytes(const byte_constants *of, const narrow_tail *tail, const byte_tail_kind kind, const __m512i sums[4]) {
    __m512i x[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < 4; v++) {
        const vector sum = floats_of(sums[v]), multiplier = _mm512_castsi512_ps(of->multiplier[v]);
        const vector offset = _mm512_castsi512_ps(of->offset[v]);
        x[v] = kind == BYTE_TAIL_SILU ? rounded_silu_sum(tail, sum, multiplier, offset) : rounded_sum(tail, sum, multiplier, offset, NULL);
    }
    const __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(x[0], x[1]), _mm512_packs_epi32(x[2], x[3]));
    return _mm512_max_epu8(bytes, _mm512_set1_epi8((char)(int)tail->low));
}

// The tail of 64 channels of one pixel.
INLINE void finish_channels(const byte_columns *p, const byte_constants *of, const narrow_tail *tail, const byte_tail_kind kind,
                            const __m512i sums[4], uint8_t *out) {
    if (kind != BYTE_TAIL_OTHER) {
        _mm512_mask_storeu_epi8(out, ~(__mmask64)0 >> (64 - p->count), finished_bytes(of, tail, kind, sums));
        return;
    }
    const kaption_element element = p->layer->output_numbers.element;
    __m512i x[4];
    transpose_lanes(sums, x);
    for (size_t l = 0; 16 * l < p->count; l++)
        store_finished(&p->tail, element, first_lanes(p->count - 16 * l), out + 16 * l * kaption_element_bytes(element),
                       scaled_sum(&p->constants, p->channel + 16 * l, floats_of(x[l])));
}

// The tail of two outputs of half vectors, of which `next` may be NULL.
INLINE void finish_halves(const byte_columns *p, const byte_constants *of, const narrow_tail *tail, const byte_tail_kind kind,
                          const __m512i first[4], const __m512i second[4], uint8_t *out, uint8_t *next) {
    __m512i sums[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < 4; v++) sums[v] = _mm512_inserti64x4(first[v], _mm512_castsi512_si256(second[v]), 1);
    const __m512i bytes = finished_bytes(of, tail, kind, sums);
    const __mmask32 mask = ~(__mmask32)0 >> (32 - p->count);
    _mm256_mask_storeu_epi8(out, mask, _mm512_castsi512_si256(bytes));
    if (next != NULL) _mm256_mask_storeu_epi8(next, mask, _mm512_extracti64x4_epi64(bytes, 1));
}

// What `outputs` neighbours share is loaded once: four at a time.
enum { BYTE_OUTPUTS = 4 };
INLINE void multiply_outputs(const byte_columns *p, const byte_constants *of, const narrow_tail *tail, const uint8_t *columns,
                             size_t across, size_t dilation, uint8_t *out, size_t stride, const size_t outputs, const size_t width,
                             const size_t quads, const byte_tail_kind kind, const int is_half) {
    __m512i sums[BYTE_OUTPUTS][4];
    const int8_t *w = p->weights;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < outputs; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < 4; v++) sums[i][v] = of->start[v];
    for (size_t column = 0; column < width; column++)
        for (size_t quad = 0; quad < quads; quad++, w += 256) {
            const uint8_t *in = columns + column * dilation + quad * 256;
#pragma clang loop unroll(full)
            for (int v = 0; v < 4; v++) {
                const __m512i weights = load_whole_bytes(w + 64 * v, is_half);
#pragma clang loop unroll(full)
                for (size_t i = 0; i < outputs; i++)
                    sums[i][v] = add_dot_products(sums[i][v], load_whole_bytes(in + i * across + 64 * v, is_half), weights, is_half);
            }
        }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < outputs; i += is_half ? 2 : 1) {
        const size_t next = i + 1 < outputs ? i + 1 : i;
        if (!is_half) finish_channels(p, of, tail, kind, sums[i], out + i * stride);
        else finish_halves(p, of, tail, kind, sums[i], sums[next], out + i * stride, next == i ? NULL : out + next * stride);
    }
}

// Puts columns [first, first + count) of the padded input in order, for the windows of output row y.
INLINE void order_columns_of(const byte_columns *p, size_t y, size_t first, size_t count, const size_t height, const int is_half) {
    const kaption_layer *layer = p->layer;
    const size_t pad = layer->window.pad_left, step = layer->input.stride, width = layer->input.width;
    const __mmask64 mask = ~(__mmask64)0 >> (64 - p->count);
    const uint8_t *rows[NARROW_BYTE_HEIGHT], *borders[NARROW_BYTE_HEIGHT];
    size_t steps[NARROW_BYTE_HEIGHT];
    narrow_window_rows(layer, y, rows);
    const size_t begin = first < pad ? (pad - first < count ? pad - first : count) : 0;
    const size_t end = first + count > pad + width ? (pad + width > first ? pad + width - first : 0) : count;
    for (size_t row = 0; row < height; row++) {
        borders[row] = p->constants.border + p->channel;
        steps[row] = rows[row] == NULL ? 0 : step;
        rows[row] = rows[row] == NULL ? borders[row] : rows[row] + p->channel + (first + begin - pad) * step;
    }
    uint8_t *to = p->columns;
    for (size_t c = 0; c < count; c++) {
        const int inside = c >= begin && c < end;
        for (size_t quad = 0; quad < (height + 3) / 4; quad++, to += 256)
            order_column((inside ? rows : borders) + 4 * quad, height - 4 * quad, mask, to, is_half);
        for (size_t row = 0; inside && row < height; row++) rows[row] += steps[row];
    }
}
static void order_columns(const byte_columns *p, size_t y, size_t first, size_t count) {
    const size_t height = p->layer->window.kernel_height;
    if (height == 5 && p->is_half) order_columns_of(p, y, first, count, 5, 1);
    else if (height == 5) order_columns_of(p, y, first, count, 5, 0);
    else order_columns_of(p, y, first, count, height, p->is_half);
}

// `count` outputs of row y from x on. What stores of bytes could change, as far as the compiler knows, is kept in variables.
INLINE void multiply_columns(const byte_columns *p, size_t y, size_t x, size_t count, const size_t width, const size_t quads,
                             const byte_tail_kind kind, const int is_half) {
    const kaption_window *window = &p->layer->window;
    const size_t bytes = kaption_element_bytes(p->layer->output_numbers.element), stride = p->layer->output.stride * bytes;
    uint8_t *out = narrow_output(p->layer, y, x) + p->channel * bytes;
    const size_t across = window->stride_width * quads * 256, dilation = window->dilation_width * quads * 256;
    const uint8_t *columns = p->columns;
    const byte_constants of = p->of;
    const narrow_tail tail = p->tail;
    size_t i = 0;
    for (; i + BYTE_OUTPUTS <= count; i += BYTE_OUTPUTS, columns += BYTE_OUTPUTS * across, out += BYTE_OUTPUTS * stride)
        multiply_outputs(p, &of, &tail, columns, across, dilation, out, stride, BYTE_OUTPUTS, width, quads, kind, is_half);
    for (; i < count; i++, columns += across, out += stride)
        multiply_outputs(p, &of, &tail, columns, across, dilation, out, stride, 1, width, quads, kind, is_half);
}

INLINE void multiply_columns_of(const byte_columns *p, size_t y, size_t x, size_t count, const size_t width, const size_t quads) {
    if (p->kind == BYTE_TAIL_CLIP && p->is_half) multiply_columns(p, y, x, count, width, quads, BYTE_TAIL_CLIP, 1);
    else if (p->kind == BYTE_TAIL_CLIP) multiply_columns(p, y, x, count, width, quads, BYTE_TAIL_CLIP, 0);
    else if (p->kind == BYTE_TAIL_SILU && p->is_half) multiply_columns(p, y, x, count, width, quads, BYTE_TAIL_SILU, 1);
    else if (p->kind == BYTE_TAIL_SILU) multiply_columns(p, y, x, count, width, quads, BYTE_TAIL_SILU, 0);
    else multiply_columns(p, y, x, count, width, quads, BYTE_TAIL_OTHER, 0);
}

#include "depthwise_byte_windows.h"

static void depthwise_bytes(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    uint8_t columns[NARROW_COLUMNS * 256] __attribute__((aligned(64)));
    byte_columns p = {
        .layer = layer, .constants = narrow_constants_of(layer), .tail = narrow_tail_of(layer),
        .quads = (window->kernel_height + 3) / 4, .columns = columns,
    };
    p.kind = byte_tail_of(layer, &p.tail);
    const size_t reach = (window->kernel_width - 1) * window->dilation_width + 1;
    const size_t together = (NARROW_COLUMNS / p.quads - reach) / window->stride_width + 1;
    for (size_t channel = 0; channel < layer->output.channels; channel += 64) {
        load_channels(&p, channel);
        if (multiply_byte_windows(&p)) continue;
        for (size_t y = layer->row_begin; y < layer->row_end; y++)
            for (size_t x = 0; x < layer->output.width; x += together) {
                const size_t count = layer->output.width - x < together ? layer->output.width - x : together;
                order_columns(&p, y, x * window->stride_width, (count - 1) * window->stride_width + reach);
                if (window->kernel_width == 5 && p.quads == 2) multiply_columns_of(&p, y, x, count, 5, 2);
                else multiply_columns_of(&p, y, x, count, window->kernel_width, p.quads);
            }
    }
}

// Depthwise convolutions of bytes with VNNI. A row of output takes its columns, 64 channels of them, from a buffer in which the bytes of up to
// four rows of a channel lie side by side: a dot product is then four taps, and a column is put in order once for all windows that it is in.
// The exact sums are those of depthwise.h.

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
    const size_t group = p->layer->window.kernel_width * p->quads * 256;
    p->weights = (const int8_t *)(const void *)p->constants.weights + channel / 64 * group;
}

// Puts columns [first, first + count) of the padded input in order, for the windows of output row y.
static void order_columns(const byte_columns *p, size_t y, size_t first, size_t count) {
    const kaption_layer *layer = p->layer;
    const kaption_window *window = &layer->window;
    const __mmask64 mask = ~(__mmask64)0 >> (64 - p->count);
    const uint8_t *border = p->constants.border + p->channel, *rows[NARROW_BYTE_HEIGHT];
    narrow_window_rows(layer, y, rows);
    uint8_t *to = p->columns;
    for (size_t c = 0; c < count; c++) {
        const size_t x = first + c - window->pad_left, at = x * layer->input.stride + p->channel;
        const int inside = x < layer->input.width;
        for (size_t quad = 0; quad < p->quads; quad++, to += 256) {
            __m512i taps[4];
#pragma clang loop unroll(full)
            for (size_t i = 0; i < 4; i++) {
                const size_t row = 4 * quad + i;
                taps[i] = _mm512_setzero_si512();
                if (row >= window->kernel_height) continue;
                taps[i] = _mm512_maskz_loadu_epi8(mask, inside && rows[row] != NULL ? rows[row] + at : border);
            }
            const __m512i low = _mm512_unpacklo_epi8(taps[0], taps[1]), high = _mm512_unpackhi_epi8(taps[0], taps[1]);
            const __m512i next_low = _mm512_unpacklo_epi8(taps[2], taps[3]), next_high = _mm512_unpackhi_epi8(taps[2], taps[3]);
            _mm512_store_si512(to, _mm512_unpacklo_epi16(low, next_low));
            _mm512_store_si512(to + 64, _mm512_unpackhi_epi16(low, next_low));
            _mm512_store_si512(to + 128, _mm512_unpacklo_epi16(high, next_high));
            _mm512_store_si512(to + 192, _mm512_unpackhi_epi16(high, next_high));
        }
    }
}

// The commonest tails to bytes: a clip at most, or SiLU.
typedef enum { BYTE_TAIL_OTHER, BYTE_TAIL_CLIP, BYTE_TAIL_SILU } byte_tail_kind;

// The tail of 64 channels of one pixel.
INLINE void finish_channels(const byte_columns *p, const byte_constants *of, const narrow_tail *tail, const byte_tail_kind kind,
                            const __m512i sums[4], uint8_t *out) {
    if (kind != BYTE_TAIL_OTHER) {
        __m512i x[4];
#pragma clang loop unroll(full)
        for (int v = 0; v < 4; v++) {
            const vector sum = floats_of(sums[v]), multiplier = _mm512_castsi512_ps(of->multiplier[v]);
            const vector offset = _mm512_castsi512_ps(of->offset[v]);
            x[v] = kind == BYTE_TAIL_SILU ? rounded_silu_sum(tail, sum, multiplier, offset)
                           : rounded_sum(tail, sum, multiplier, offset, NULL);
        }
        const __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(x[0], x[1]), _mm512_packs_epi32(x[2], x[3]));
        _mm512_mask_storeu_epi8(out, ~(__mmask64)0 >> (64 - p->count), _mm512_max_epu8(bytes, _mm512_set1_epi8((char)(int)tail->low)));
        return;
    }
    const kaption_element element = p->layer->output_numbers.element;
    __m512i x[4];
    transpose_lanes(sums, x);
    for (size_t l = 0; 16 * l < p->count; l++)
        store_finished(&p->tail, element, first_lanes(p->count - 16 * l), out + 16 * l * kaption_element_bytes(element),
                       scaled_sum(&p->constants, p->channel + 16 * l, floats_of(x[l])));
}

// `count` outputs of row y from x on. What stores of bytes could change, as far as the compiler knows, is kept in variables.
INLINE void multiply_columns(const byte_columns *p, size_t y, size_t x, size_t count, const size_t width, const size_t quads,
                             const byte_tail_kind kind) {
    const kaption_window *window = &p->layer->window;
    const size_t bytes = kaption_element_bytes(p->layer->output_numbers.element), stride = p->layer->output.stride * bytes;
    uint8_t *out = narrow_output(p->layer, y, x) + p->channel * bytes;
    const size_t across = window->stride_width * quads * 256, dilation = window->dilation_width * quads * 256;
    const uint8_t *columns = p->columns;
    const byte_constants of = p->of;
    const narrow_tail tail = p->tail;
    for (size_t i = 0; i < count; i++, columns += across, out += stride) {
        __m512i sums[4] = {of.start[0], of.start[1], of.start[2], of.start[3]};
        const int8_t *w = p->weights;
        for (size_t column = 0; column < width; column++)
            for (size_t quad = 0; quad < quads; quad++, w += 256) {
                const uint8_t *in = columns + column * dilation + quad * 256;
#pragma clang loop unroll(full)
                for (int v = 0; v < 4; v++)
                    sums[v] = _mm512_dpbusd_epi32(sums[v], _mm512_load_si512(in + 64 * v), _mm512_loadu_si512(w + 64 * v));
            }
        finish_channels(p, &of, &tail, kind, sums, out);
    }
}

INLINE void multiply_columns_of(const byte_columns *p, size_t y, size_t x, size_t count, const size_t width, const size_t quads) {
    const int is_bytes = p->layer->output_numbers.element == KAPTION_UINT8;
    if (is_bytes && p->tail.is_folded) multiply_columns(p, y, x, count, width, quads, BYTE_TAIL_CLIP);
    else if (is_bytes && p->tail.activation.kind == KAPTION_SILU) multiply_columns(p, y, x, count, width, quads, BYTE_TAIL_SILU);
    else multiply_columns(p, y, x, count, width, quads, BYTE_TAIL_OTHER);
}

static void depthwise_bytes(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    uint8_t columns[NARROW_COLUMNS * 256] __attribute__((aligned(64)));
    byte_columns p = {
        .layer = layer, .constants = narrow_constants_of(layer), .tail = narrow_tail_of(layer),
        .quads = (window->kernel_height + 3) / 4, .columns = columns,
    };
    const size_t reach = (window->kernel_width - 1) * window->dilation_width + 1;
    const size_t together = (NARROW_COLUMNS / p.quads - reach) / window->stride_width + 1;
    for (size_t channel = 0; channel < layer->output.channels; channel += 64) {
        load_channels(&p, channel);
        for (size_t y = layer->row_begin; y < layer->row_end; y++)
            for (size_t x = 0; x < layer->output.width; x += together) {
                const size_t count = layer->output.width - x < together ? layer->output.width - x : together;
                order_columns(&p, y, x * window->stride_width, (count - 1) * window->stride_width + reach);
                if (window->kernel_width == 3 && p.quads == 1) multiply_columns_of(&p, y, x, count, 3, 1);
                else if (window->kernel_width == 5 && p.quads == 2) multiply_columns_of(&p, y, x, count, 5, 2);
                else multiply_columns_of(&p, y, x, count, window->kernel_width, p.quads);
            }
    }
}

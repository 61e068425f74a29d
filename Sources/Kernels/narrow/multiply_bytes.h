// Bytes times one factor for each channel, as squeeze and excitation does: 64 bytes packed at once. After tail.h, AVX-512.

// Returns 0 where the product is another one.
static int multiply_bytes(const kaption_layer *layer) {
    enum { TOGETHER = 512 };
    const kaption_numbers numbers = layer->input_numbers;
    if (numbers.element != KAPTION_UINT8 || layer->other_numbers.element != KAPTION_UINT8 || layer->output_numbers.element != KAPTION_UINT8 ||
        layer->other.height * layer->other.width != 1 || layer->activation.kind != KAPTION_LINEAR)
        return 0;
    const narrow_tail tail = narrow_tail_of(layer);
    const vector zero_point = repeated(-numbers.zero), scale = repeated(numbers.scale);
    float factors[TOGETHER] = {0};
    for (size_t channel = 0; channel < layer->output.channels; channel += TOGETHER) {
        const size_t left = layer->output.channels - channel, count = left < TOGETHER ? left : TOGETHER;
        const uint8_t *other = (const uint8_t *)layer->other.data + channel;
        for (size_t j = 0; j < count; j += LANES) store(factors + j, load_values(layer->other_numbers, first_lanes(count - j), other + j));
        for (size_t y = layer->row_begin; y < layer->row_end; y++)
            for (size_t x = 0; x < layer->output.width; x++) {
                const uint8_t *in = narrow_pixel(&layer->input, KAPTION_UINT8, y, x) + channel;
                uint8_t *out = narrow_output(layer, y, x) + channel;
                for (size_t j = 0; j < count; j += 64) {
                    __m512i bytes[4];
#pragma clang loop unroll(full)
                    for (size_t v = 0; v < 4; v++) {
                        const size_t at = j + (16 * v < count - j ? 16 * v : 0);
                        const vector a = multiply(add(load_uint8(in + at), zero_point), scale);
                        const vector product = multiply_add(multiply(a, load(factors + at)), repeated(tail.factor), repeated(tail.zero));
                        bytes[v] = _mm512_cvtps_epi32(clipped_integer(product));
                    }
                    _mm512_mask_storeu_epi8(out + j, ~(__mmask64)0 >> (count - j < 64 ? 64 - (count - j) : 0),
                                            packed_bytes(bytes[0], bytes[1], bytes[2], bytes[3]));
                }
            }
    }
    return 1;
}

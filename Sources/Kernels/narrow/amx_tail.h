// The tail of a block of sums in pieces, between the multiplications of the next block: tiles multiply while the vector units round.

// The commonest tails, a clip at most or bytes with SiLU: sums to what is written; the others go pixel by pixel at once (finish.h).
typedef enum { TAIL_OTHER, TAIL_BFLOAT16, TAIL_BFLOAT16_SUM, TAIL_BYTES, TAIL_BYTES_SUM, TAIL_BYTES_SILU } amx_tail_kind;

typedef struct {
    vector first_multiplier, second_multiplier, first_offset, second_offset;
    const uint32_t *sums;  // [rows][width]
    size_t width, second;  // second: elements from the first vector of filters to the second in what is added
    uint8_t *out;          // of the next pixel
    const uint8_t *other;
    size_t stride, other_stride;
    uint32_t mask;         // of the filters
    size_t count, done;    // pixels
    uint8_t rows[64];      // of each pixel's sums
} amx_tail;

static amx_tail_kind amx_tail_kind_of(const narrow_product *p, const int is_integer) {
    const kaption_layer *layer = p->layer;
    const kaption_element element = layer->output_numbers.element;
    if (is_integer && element == KAPTION_UINT8 && layer->activation.kind == KAPTION_SILU && !layer->has_other && p->row_scales == NULL)
        return TAIL_BYTES_SILU;
    if (!p->tail.is_folded || p->row_scales != NULL || (layer->has_other && layer->other_numbers.element != element)) return TAIL_OTHER;
    if (is_integer && element == KAPTION_UINT8) return layer->has_other ? TAIL_BYTES_SUM : TAIL_BYTES;
    if (!is_integer && element == KAPTION_BFLOAT16) return layer->has_other ? TAIL_BFLOAT16_SUM : TAIL_BFLOAT16;
    return TAIL_OTHER;
}

INLINE vector amx_value(const narrow_tail *tail, const uint32_t *sums, vector offset, const uint8_t *other, const int has_other) {
    vector x = add(load((const float *)(const void *)sums), offset);
    if (has_other) x = add(load_bfloat16(other), x);
    return clipped(x, repeated(tail->low), repeated(tail->high));
}

// What stores through bytes could change, as far as the compiler knows, is kept in variables.
INLINE void amx_finish_halves(const narrow_product *p, amx_tail *tail, size_t pixels, const int has_other) {
    const narrow_tail numbers = p->tail;
    const vector first_offset = tail->first_offset, second_offset = tail->second_offset;
    const size_t width = tail->width, stride = tail->stride, other_stride = tail->other_stride, second = 2 * tail->second;
    const uint32_t *sums = tail->sums, mask = tail->mask;
    const uint8_t *rows = tail->rows + tail->done, *other = tail->other;
    uint8_t *out = tail->out;
    for (size_t i = 0; i < pixels; i++, out += stride) {
        const uint32_t *from = sums + rows[i] * width;
        const vector a = amx_value(&numbers, from, first_offset, other, has_other);
        const vector b = amx_value(&numbers, from + LANES, second_offset, has_other ? other + second : NULL, has_other);
        const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(b, a);
        if (mask == 0xffffffffu) _mm512_storeu_si512(out, halves);
        else _mm512_mask_storeu_epi16(out, mask, halves);
        if (has_other) other += other_stride;
    }
    tail->done += pixels;
    tail->out = out;
    tail->other = other;
}

INLINE __m512i amx_rounded(const narrow_tail *tail, const uint32_t *sums, vector multiplier, vector offset, const uint8_t *other,
                           const amx_tail_kind kind) {
    const vector sum = sum_at(sums);
    return kind == TAIL_BYTES_SILU ? rounded_silu_sum(tail, sum, multiplier, offset) : rounded_sum(tail, sum, multiplier, offset, other);
}

// Two pixels at a time; the last one of an odd count twice.
INLINE void amx_finish_bytes(const narrow_product *p, amx_tail *tail, size_t pixels, const amx_tail_kind kind) {
    const narrow_tail numbers = p->tail;
    const int has_other = kind == TAIL_BYTES_SUM;
    const __m512i low = _mm512_set1_epi8((char)(int)numbers.low);
    const vector first_multiplier = tail->first_multiplier, first_offset = tail->first_offset;
    const vector second_multiplier = tail->second_multiplier, second_offset = tail->second_offset;
    const size_t width = tail->width, stride = tail->stride, other_stride = tail->other_stride, second = tail->second;
    const uint32_t *sums = tail->sums, mask = tail->mask;
    const uint8_t *rows = tail->rows + tail->done, *other = tail->other;
    uint8_t *out = tail->out;
    for (size_t i = 0; i < pixels; i += 2) {
        const size_t step = i + 1 < pixels;
        const uint32_t *from = sums + rows[i] * width, *next = sums + rows[i + step] * width;
        const uint8_t *next_other = has_other ? other + step * other_stride : NULL;
        uint8_t *next_out = out + step * stride;
        const __m512i bytes = _mm512_max_epu8(
            low, packed_bytes(
                     amx_rounded(&numbers, from, first_multiplier, first_offset, other, kind),
                     amx_rounded(&numbers, from + LANES, second_multiplier, second_offset, has_other ? other + second : NULL, kind),
                     amx_rounded(&numbers, next, first_multiplier, first_offset, next_other, kind),
                     amx_rounded(&numbers, next + LANES, second_multiplier, second_offset, has_other ? next_other + second : NULL, kind)));
        if (mask == 0xffffffffu) {
            _mm256_storeu_si256((__m256i *)(void *)out, _mm512_castsi512_si256(bytes));
            _mm256_storeu_si256((__m256i *)(void *)next_out, _mm512_extracti64x4_epi64(bytes, 1));
        } else {
            _mm256_mask_storeu_epi8(out, mask, _mm512_castsi512_si256(bytes));
            _mm256_mask_storeu_epi8(next_out, mask, _mm512_extracti64x4_epi64(bytes, 1));
        }
        out += 2 * stride;
        if (has_other) other += 2 * other_stride;
    }
    tail->done += pixels;
    tail->out = out;
    tail->other = other;
}

// Up to `pixels` more of the tail.
INLINE void amx_finish_some(const narrow_product *p, amx_tail *tail, size_t pixels, const amx_tail_kind kind) {
    if (kind == TAIL_OTHER) return;
    const size_t left = tail->count - tail->done, now = pixels < left ? pixels : left;
    if (kind == TAIL_BFLOAT16) amx_finish_halves(p, tail, now, 0);
    if (kind == TAIL_BFLOAT16_SUM) amx_finish_halves(p, tail, now, 1);
    if (kind == TAIL_BYTES || kind == TAIL_BYTES_SUM || kind == TAIL_BYTES_SILU) amx_finish_bytes(p, tail, now, kind);
}

// Dot products without instructions for them: bytes widened to 16 bits and multiplied in pairs, where nothing can saturate
// (vpmaddubsw can); bfloat16 widened to floats. After the elements, with WIDENED_TILE and WIDENED_PANEL.
enum { int8_IS_INTEGER = 1, int8_TILE = WIDENED_TILE, int8_PANEL = WIDENED_PANEL, int8_PARTS = 2 };
typedef integers int8_sums;

#define int8_multiply add_word_products
// Halves take no less time here, and have no tiles.
#define int8_multiply_half int8_multiply
#define bf16_multiply_half bf16_multiply

// Bytes 0 and 2, then 1 and 3.
static uint32_t int8_expand(uint32_t dword, size_t part) {
    const uint32_t low = (uint32_t)(int32_t)(int8_t)(dword >> (8 * part)), high = (uint32_t)(int32_t)(int8_t)(dword >> (16 + 8 * part));
    return (low & 0xffff) | high << 16;
}
INLINE int8_sums int8_start(const int32_t *start, const float *offset) {
    (void)offset;
    return load_integers(start);
}
INLINE void int8_store(uint32_t *to, int8_sums x) { store_integers(to, x); }

enum { bf16_IS_INTEGER = 0, bf16_TILE = WIDENED_TILE, bf16_PANEL = WIDENED_PANEL, bf16_PARTS = 2 };
typedef vector bf16_sums;

static uint32_t bf16_expand(uint32_t dword, size_t part) { return part == 0 ? dword << 16 : dword & 0xffff0000u; }
INLINE bf16_sums bf16_start(const int32_t *start, const float *offset) {
    (void)start;
    return offset == NULL ? zero() : load(offset);
}
INLINE void bf16_store(uint32_t *to, bf16_sums x) { store((float *)(void *)to, x); }

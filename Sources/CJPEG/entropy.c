#include "entropy.h"

#ifdef KAPTION_JPEG_HAS_ENTROPY

#include <string.h>

#include <jerror.h>

// ---- Tables -----------------------------------------------------------------------------------------------------

// The value that `size` bits stand for (ITU-T T.81, F.2.2.1, EXTEND).
static inline int32_t extend(uint32_t bits, int size) {
    return bits < 1u << (size - 1) ? (int32_t)bits - (1 << size) + 1 : (int32_t)bits;
}

// All entries that begin with this code of `length` bits.
static void enter_code(struct entropy_table *table, uint32_t code, int length, int symbol) {
    const int size = symbol & 15, run = symbol >> 4, rest = ENTROPY_LOOKAHEAD - length;
    uint32_t *first = table->entries + ((size_t)code << rest);
    for (uint32_t tail = 0; tail < 1u << rest; tail++) {
        if (size > 0 && size <= rest) {
            const int32_t value = extend(tail >> (rest - size), size);
            first[tail] = (uint32_t)value << 16 | (uint32_t)run << 8 | (uint32_t)(length + size);
        } else {
            first[tail] = (uint32_t)symbol << 8 | (uint32_t)length;
        }
    }
}

// libjpeg has found the table sound: no length has more codes than there is room for.
static void make_table(struct entropy_table *table, const JHUFF_TBL *source) {
    memset(table->entries, 0, sizeof table->entries);
    memcpy(table->symbols, source->huffval, sizeof table->symbols);
    uint32_t code = 0;
    int symbol = 0;
    for (int length = 1; length <= 16; length++) {
        table->offsets[length] = symbol - (int32_t)code;
        for (int i = 0; i < source->bits[length]; i++, code++, symbol++) {
            if (length <= ENTROPY_LOOKAHEAD) enter_code(table, code, length, source->huffval[symbol]);
        }
        table->ends[length] = code << (16 - length);
        code <<= 1;
    }
}

// ---- Bits -------------------------------------------------------------------------------------------------------

// Copies bytes of the file, up to the next marker, into the window, a byte of ones without the zero behind it, and puts zeros behind them. A minimum
// coded unit then finds all that it may take.
static __attribute__((noinline)) void fill_window(struct entropy_decoder *decoder, struct jpeg_source_mgr *source) {
    const size_t left = (size_t)(decoder->end - decoder->next);
    memmove(decoder->window, decoder->window + decoder->next, left);
    uint8_t *to = decoder->window + left, *full = decoder->window + ENTROPY_WINDOW;
    const uint8_t *from = source->next_input_byte, *end = from + source->bytes_in_buffer;
    while (to < full) {
        const size_t room = (size_t)(full - to), rest = (size_t)(end - from), most = room < rest ? room : rest;
        const uint8_t *ones = memchr(from, 0xff, most);
        const size_t plain = ones == NULL ? most : (size_t)(ones - from);
        memcpy(to, from, plain);
        to += plain;
        from += plain;
        if (ones == NULL && from < end) break;
        // More bytes of ones may stand before the zero or the marker.
        const uint8_t *second = from;
        while (second < end && *second == 0xff) second++;
        if (second == end || *second != 0) {
            decoder->is_last = 1;
            break;
        }
        *to++ = 0xff;
        from = second + 1;
    }
    decoder->next = 0;
    decoder->end = to - decoder->window;
    memset(to, 0, ENTROPY_UNIT);
    source->next_input_byte = from;
    source->bytes_in_buffer = (size_t)(end - from);
}

struct reader {
    // The next bits, from the top; `count` of them at least.
    uint64_t bits;
    int count;
    const uint8_t *next;
};

// At least 56 bits from here on.
static inline void fill(struct reader *reader) {
    uint64_t word;
    memcpy(&word, reader->next, sizeof word);
    reader->bits |= __builtin_bswap64(word) >> reader->count;
    reader->next += (63 - reader->count) >> 3;
    reader->count |= 56;
}

static inline void drop(struct reader *reader, int bits) {
    reader->bits <<= bits;
    reader->count -= bits;
}

static inline uint32_t take(struct reader *reader, int bits) {
    const uint32_t taken = (uint32_t)(reader->bits >> (64 - bits));
    drop(reader, bits);
    return taken;
}

// ---- Codes ------------------------------------------------------------------------------------------------------

struct code {
    int symbol, length;
};

// A code that is longer than a look-up. What is no code is damage: the warning does not come back.
static __attribute__((noinline)) struct code long_code(j_decompress_ptr info, const struct entropy_table *table,
                                                       uint64_t bits) {
    const uint32_t next = (uint32_t)(bits >> 48);
    for (int length = ENTROPY_LOOKAHEAD + 1; length <= 16; length++) {
        if (next < table->ends[length]) {
            const int32_t place = (int32_t)(next >> (16 - length)) + table->offsets[length];
            return (struct code){table->symbols[place & 255], length};
        }
    }
    WARNMS(info, JWRN_HUFF_BAD_CODE);
    return (struct code){0, 16};
}

static inline uint32_t look_up(const struct entropy_table *table, struct reader *reader) {
    const uint32_t entry = table->entries[reader->bits >> (64 - ENTROPY_LOOKAHEAD)];
    drop(reader, (int)(entry & 255));
    return entry;
}

// The code that an entry without a value belongs to.
static inline int symbol_of(j_decompress_ptr info, const struct entropy_table *table, struct reader *reader,
                            uint32_t entry) {
    if (entry != 0) return (int)(entry >> 8);
    const struct code code = long_code(info, table, reader->bits);
    drop(reader, code.length);
    return code.symbol;
}

// Where a block's coefficients lie, by their order in the file. A run of zeros may lead beyond the last one, which is then
// written, as libjpeg does it.
static const uint8_t natural_order[64 + 16] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,
    6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31,
    39, 46, 53, 60, 61, 54, 47, 55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
};

// What the block's first coefficient is greater by than the one before it (ITU-T T.81, F.2.2.1).
static inline int32_t decode_difference(j_decompress_ptr info, const struct entropy_table *table,
                                        struct reader *reader) {
    fill(reader);
    const uint32_t entry = look_up(table, reader);
    if (entry >> 16 != 0) return (int32_t)entry >> 16;
    const int size = symbol_of(info, table, reader, entry) & 15;
    return size == 0 ? 0 : extend(take(reader, size), size);
}

// The block's other coefficients (ITU-T T.81, F.2.2.2). `block` is all zeros.
static inline void decode_others(j_decompress_ptr info, const struct entropy_table *table, struct reader *reader,
                                 JCOEF *block) {
    for (int k = 1; k < DCTSIZE2; k++) {
        // A code takes 16 bits and its value 15 at most: what is left by a look-up that gave both is enough for any other.
        fill(reader);
        uint32_t entry = look_up(table, reader);
        if (entry >> 16 != 0) {
            k += (int)(entry >> 8 & 255);
            block[natural_order[k]] = (JCOEF)(entry >> 16);
            if (++k >= DCTSIZE2) break;
            entry = look_up(table, reader);
            if (entry >> 16 != 0) {
                k += (int)(entry >> 8 & 255);
                block[natural_order[k]] = (JCOEF)(entry >> 16);
                continue;
            }
        }
        const int symbol = symbol_of(info, table, reader, entry);
        const int size = symbol & 15, run = symbol >> 4;
        k += run;
        if (size > 0) {
            block[natural_order[k]] = (JCOEF)extend(take(reader, size), size);
        } else if (run < 15) {
            break;
        }
    }
}

// ---- The module -------------------------------------------------------------------------------------------------

// Begins anew behind a marker, where the source stands.
static void begin(struct entropy_decoder *decoder, j_decompress_ptr info) {
    decoder->next = decoder->end = 0;
    decoder->is_last = 0;
    decoder->bits = 0;
    decoder->count = 0;
    memset(decoder->last_dc, 0, sizeof decoder->last_dc);
    decoder->restarts_to_go = info->restart_interval;
}

// Decodes one minimum coded unit into blocks of zeros; without `blocks` to nowhere.
static boolean decode_unit(j_decompress_ptr info, JBLOCKROW *blocks) {
    struct entropy_decoder *decoder = (struct entropy_decoder *)info->entropy;
    if (info->restart_interval != 0) {
        if (decoder->restarts_to_go == 0) {
            (*info->marker->read_restart_marker)(info);
            begin(decoder, info);
        }
        decoder->restarts_to_go--;
    }
    if (decoder->end - decoder->next < ENTROPY_UNIT && !decoder->is_last) fill_window(decoder, info->src);
    struct reader reader = {decoder->bits, decoder->count, decoder->window + decoder->next};
    for (int i = 0; i < info->blocks_in_MCU; i++) {
        JCOEF nowhere[DCTSIZE2];
        JCOEF *block = blocks != NULL ? blocks[i][0] : nowhere;
        int16_t *last = &decoder->last_dc[decoder->blocks[i].component];
        *last = (int16_t)(*last + decode_difference(info, decoder->blocks[i].dc, &reader));
        block[0] = *last;
        decode_others(info, decoder->blocks[i].ac, &reader, block);
    }
    decoder->bits = reader.bits;
    decoder->count = reader.count;
    decoder->next = reader.next - decoder->window;
    // Bits that the file does not have were used: the picture is cut short. The warning does not come back.
    if (decoder->next - decoder->end > reader.count / 8) {
        begin(decoder, info);
        WARNMS(info, info->src->bytes_in_buffer == 0 ? JWRN_JPEG_EOF : JWRN_HIT_MARKER);
    }
    return TRUE;
}

void entropy_take_over(struct entropy_decoder *decoder, j_decompress_ptr info) {
    // In several scans libjpeg has decoded the whole file by now. A predictor (Ss) is lossless coding's.
    if (info->progressive_mode || info->arith_code || info->data_precision != 8 || info->Ss != 0 || jpeg_has_multiple_scans(info))
        return;
    for (int component = 0; component < info->comps_in_scan; component++) {
        const jpeg_component_info *scanned = info->cur_comp_info[component];
        if (info->dc_huff_tbl_ptrs[scanned->dc_tbl_no] == NULL || info->ac_huff_tbl_ptrs[scanned->ac_tbl_no] == NULL) return;
    }
    for (int i = 0; i < info->blocks_in_MCU; i++) {
        const int component = info->MCU_membership[i];
        const jpeg_component_info *scanned = info->cur_comp_info[component];
        decoder->blocks[i].component = component;
        decoder->blocks[i].dc = &decoder->dc[scanned->dc_tbl_no];
        decoder->blocks[i].ac = &decoder->ac[scanned->ac_tbl_no];
    }
    for (int component = 0; component < info->comps_in_scan; component++) {
        const jpeg_component_info *scanned = info->cur_comp_info[component];
        make_table(&decoder->dc[scanned->dc_tbl_no], info->dc_huff_tbl_ptrs[scanned->dc_tbl_no]);
        make_table(&decoder->ac[scanned->ac_tbl_no], info->ac_huff_tbl_ptrs[scanned->ac_tbl_no]);
    }
    begin(decoder, info);
    decoder->head = *info->entropy;
    decoder->head.start_pass = NULL;
    decoder->head.decode_mcu = decode_unit;
    info->entropy = &decoder->head;
}

#endif

#include "CPNG.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <png.h>

struct kaption_png_decoder {
    png_structp png;
    png_infop info;
    jmp_buf escape;
    kaption_png_status status;
    const uint8_t *bytes;
    size_t count, position;
    uint64_t deadline;
    uint32_t width, height;
    int has_alpha;
    char message[160];
};

static _Noreturn void escape(kaption_png_decoder *decoder, kaption_png_status status, const char *message) {
    snprintf(decoder->message, sizeof decoder->message, "%s", message);
    decoder->status = status;
    longjmp(decoder->escape, 1);
}

static void on_error(png_structp png, png_const_charp message) {
    int no_memory = strstr(message, "emory") != NULL;
    escape(png_get_error_ptr(png), no_memory ? KAPTION_PNG_NO_MEMORY : KAPTION_PNG_CORRUPT, message);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void on_read(png_structp png, png_bytep target, size_t count) {
    kaption_png_decoder *decoder = png_get_io_ptr(png);
    if (count > decoder->count - decoder->position) escape(decoder, KAPTION_PNG_CORRUPT, "the file ends early");
    memcpy(target, decoder->bytes + decoder->position, count);
    decoder->position += count;
}

static void check_deadline(kaption_png_decoder *decoder) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    if ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec > decoder->deadline) {
        escape(decoder, KAPTION_PNG_TIMEOUT, "decoding took too long");
    }
}

static void close_file(kaption_png_decoder *decoder) {
    png_destroy_read_struct(&decoder->png, &decoder->info, NULL);
}

kaption_png_decoder *kaption_png_decoder_make(void) { return calloc(1, sizeof(kaption_png_decoder)); }

void kaption_png_decoder_free(kaption_png_decoder *decoder) {
    if (decoder == NULL) return;
    close_file(decoder);
    free(decoder);
}

// libpng takes memory for the length that a chunk (eXIf) claims before it looks for the bytes.
static void check_chunk_lengths(kaption_png_decoder *decoder) {
    size_t position = 8;
    while (decoder->count - position >= 12) {
        const uint8_t *chunk = decoder->bytes + position;
        size_t length = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
        if (length > decoder->count - position - 12) {
            escape(decoder, KAPTION_PNG_CORRUPT, "a chunk ends beyond the end of the file");
        }
        if (memcmp(chunk + 4, "IEND", 4) == 0) return;
        position += 12 + length;
    }
    escape(decoder, KAPTION_PNG_CORRUPT, "the file ends early");
}

// Known chunks that say nothing about the pixels as they are used here.
static const png_byte ignored_chunks[] = "bKGD\0cHRM\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0"
                                         "sCAL\0sPLT\0sRGB\0sTER\0tEXt\0tIME\0zTXt";

kaption_png_status kaption_png_open(kaption_png_decoder *decoder, const uint8_t *bytes, size_t count,
                                    uint32_t maximum_side, uint64_t deadline, kaption_png_header *header) {
    close_file(decoder);
    decoder->bytes = bytes;
    decoder->count = count;
    decoder->position = 0;
    decoder->deadline = deadline;
    decoder->message[0] = 0;
    if (setjmp(decoder->escape)) {
        close_file(decoder);
        return decoder->status;
    }
    if (count < 8) escape(decoder, KAPTION_PNG_CORRUPT, "the file ends early");
    check_chunk_lengths(decoder);
    decoder->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning);
    if (decoder->png == NULL) escape(decoder, KAPTION_PNG_NO_MEMORY, "out of memory");
    decoder->info = png_create_info_struct(decoder->png);
    if (decoder->info == NULL) escape(decoder, KAPTION_PNG_NO_MEMORY, "out of memory");
    png_structp png = decoder->png;
    png_set_read_fn(png, decoder, on_read);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(png, maximum_side, maximum_side);
    png_set_chunk_malloc_max(png, count);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, ignored_chunks, sizeof ignored_chunks / 5);
    png_read_info(png, decoder->info);

    int colour = png_get_color_type(png, decoder->info);
    decoder->width = png_get_image_width(png, decoder->info);
    decoder->height = png_get_image_height(png, decoder->info);
    decoder->has_alpha = (colour & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, decoder->info, PNG_INFO_tRNS) != 0;
    header->width = decoder->width;
    header->height = decoder->height;
    header->is_interlaced = png_get_interlace_type(png, decoder->info) != PNG_INTERLACE_NONE;
    png_uint_32 exif_count = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(png, decoder->info, &exif_count, &exif) == 0) exif = NULL;
    header->exif = exif;
    header->exif_count = exif == NULL ? 0 : exif_count;

    png_set_expand(png);
    png_set_scale_16(png);
    if ((colour & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
    if (!decoder->has_alpha) png_set_add_alpha(png, 0xFF, PNG_FILLER_AFTER);
    if (header->is_interlaced) png_set_interlace_handling(png);
    png_read_update_info(png, decoder->info);
    if (png_get_rowbytes(png, decoder->info) != (size_t)decoder->width * 4) {
        escape(decoder, KAPTION_PNG_CORRUPT, "the header contradicts itself");
    }
    return KAPTION_PNG_OK;
}

static void compose_over_white(uint8_t *pixels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixel = pixels + 4 * i;
        unsigned alpha = pixel[3];
        for (int c = 0; c < 3; c++) pixel[c] = (uint8_t)((pixel[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}

kaption_png_status kaption_png_read_rows(kaption_png_decoder *decoder, uint8_t *pixels, size_t stride, uint32_t rows) {
    if (setjmp(decoder->escape)) {
        close_file(decoder);
        return decoder->status;
    }
    check_deadline(decoder);
    for (uint32_t row = 0; row < rows; row++) {
        uint8_t *target = pixels + (size_t)row * stride;
        png_read_row(decoder->png, target, NULL);
        if (decoder->has_alpha) compose_over_white(target, decoder->width);
    }
    return KAPTION_PNG_OK;
}

kaption_png_status kaption_png_read_interlaced(kaption_png_decoder *decoder, uint8_t *pixels, size_t stride) {
    if (setjmp(decoder->escape)) {
        close_file(decoder);
        return decoder->status;
    }
    for (int pass = 0; pass < 7; pass++) {
        for (uint32_t row = 0; row < decoder->height; row++) {
            if (row % 16 == 0) check_deadline(decoder);
            png_read_row(decoder->png, pixels + (size_t)row * stride, NULL);
        }
    }
    if (decoder->has_alpha) {
        for (uint32_t row = 0; row < decoder->height; row++) {
            compose_over_white(pixels + (size_t)row * stride, decoder->width);
        }
    }
    return KAPTION_PNG_OK;
}

kaption_png_status kaption_png_finish(kaption_png_decoder *decoder) {
    if (setjmp(decoder->escape)) {
        close_file(decoder);
        return decoder->status;
    }
    png_read_end(decoder->png, NULL);
    close_file(decoder);
    return KAPTION_PNG_OK;
}

const char *kaption_png_message(const kaption_png_decoder *decoder) { return decoder->message; }

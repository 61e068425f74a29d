#include "CPNG.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct writer {
    uint8_t *bytes;
    size_t count, capacity;
    jmp_buf escape;
};

static void on_error(png_structp png, png_const_charp message) {
    (void)message;
    longjmp(((struct writer *)png_get_error_ptr(png))->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void on_write(png_structp png, png_bytep data, size_t count) {
    struct writer *writer = png_get_io_ptr(png);
    if (count > writer->capacity - writer->count) {
        size_t capacity = (writer->count + count) * 2;
        uint8_t *bytes = realloc(writer->bytes, capacity);
        if (bytes == NULL) png_error(png, "out of memory");
        writer->bytes = bytes;
        writer->capacity = capacity;
    }
    memcpy(writer->bytes + writer->count, data, count);
    writer->count += count;
}

static void on_flush(png_structp png) { (void)png; }

static void write_header(png_structp png, png_infop info, const kaption_png_options *options) {
    png_set_IHDR(png, info, options->width, options->height, options->bits, (int)options->colour,
                 options->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (options->colour == KAPTION_PNG_PALETTE) {
        png_color palette[256];
        for (int i = 0; i < options->palette_count && i < 256; i++) {
            const uint8_t *entry = options->palette + 3 * i;
            palette[i] = (png_color){entry[0], entry[1], entry[2]};
        }
        png_set_PLTE(png, info, palette, options->palette_count);
        if (options->palette_alpha_count > 0) {
            png_set_tRNS(png, info, options->palette_alpha, options->palette_alpha_count, NULL);
        }
    } else if (options->has_transparent_colour) {
        const uint16_t *colour = options->transparent_colour;
        png_color_16 transparent = {0, colour[0], colour[1], colour[2], colour[0]};
        png_set_tRNS(png, info, NULL, 0, &transparent);
    }
    if (options->exif != NULL) png_set_eXIf_1(png, info, (png_uint_32)options->exif_count, (png_bytep)options->exif);
    png_write_info(png, info);
}

// The writer is the caller's, so that its value is certain after a longjmp to this frame.
static kaption_png_status write_file(struct writer *writer, const kaption_png_options *options, const uint8_t *pixels) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, on_error, on_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_write_struct(&png, NULL);
        return KAPTION_PNG_NO_MEMORY;
    }
    if (setjmp(writer->escape)) {
        png_destroy_write_struct(&png, &info);
        return KAPTION_PNG_CORRUPT;
    }
    png_set_write_fn(png, writer, on_write, on_flush);
    write_header(png, info, options);
    int passes = png_set_interlace_handling(png);
    size_t stride = png_get_rowbytes(png, info);
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t row = 0; row < options->height; row++) png_write_row(png, pixels + row * stride);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return KAPTION_PNG_OK;
}

kaption_png_status kaption_png_encode(const kaption_png_options *options, const uint8_t *pixels, uint8_t **bytes,
                                      size_t *count) {
    struct writer writer = {0};
    kaption_png_status status = write_file(&writer, options, pixels);
    if (status != KAPTION_PNG_OK) {
        free(writer.bytes);
        return status;
    }
    *bytes = writer.bytes;
    *count = writer.count;
    return KAPTION_PNG_OK;
}

void kaption_png_release(uint8_t *bytes) { free(bytes); }

uint32_t kaption_png_checksum(const uint8_t *bytes, size_t count) {
    // ISO 3309's CRC-32, a bit at a time: it serves chunks of a few bytes.
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

import Kernels

/// Writes rows or columns of 8-bit pixels, normalised, into a tensor of `height` × `width` × `pixelStride` floats.
struct TensorWriter {
    let isa = kaption_isa_best()
    let tensor: UnsafeMutablePointer<Float>
    let pixelStride: Int
    let preprocessing: Preprocessing

    /// `pixels`: the whole row, four bytes a pixel.
    func writeRow(_ row: Int, _ pixels: UnsafePointer<UInt8>) {
        write(pixels, preprocessing.width, tensor + row * preprocessing.width * pixelStride, step: pixelStride)
    }

    /// `pixels`: the whole column, from the top, four bytes a pixel.
    func writeColumn(_ column: Int, _ pixels: UnsafePointer<UInt8>) {
        write(
            pixels, preprocessing.height, tensor + column * pixelStride, step: preprocessing.width * pixelStride)
    }

    private func write(_ pixels: UnsafePointer<UInt8>, _ count: Int, _ target: UnsafeMutablePointer<Float>, step: Int) {
        let order: (UInt8, UInt8, UInt8) = preprocessing.channels == .rgb ? (0, 1, 2) : (2, 1, 0)
        withUnsafeBytes(of: order) { order in
            kaption_normalise_row(
                isa, pixels, count, order.bindMemory(to: UInt8.self).baseAddress, preprocessing.mean,
                preprocessing.std, target, step, pixelStride)
        }
    }
}

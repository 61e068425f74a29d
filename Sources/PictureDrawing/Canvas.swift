import Foundation

/// A surface to paint on. Lengths are shares of its height, so that a scene looks alike at any size: y goes from 0 at the
/// top to 1, x from 0 to `width`.
struct Canvas {
    typealias Point = SIMD2<Float>

    let columns: Int
    let rows: Int
    private var colours: [SIMD3<Float>]

    init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
        colours = [SIMD3<Float>](repeating: .zero, count: columns * rows)
    }

    var width: Float { Float(columns) / Float(rows) }

    var picture: Picture {
        Picture(width: columns, height: rows) { x, y in Colour(colours[y * columns + x]) }
    }

    /// Paints where `distance` (to the shape's edge, negative within) says so, with an edge one pixel soft.
    mutating func paint(_ colour: (Point) -> Colour, where distance: (Point) -> Float) {
        let pixel = 1 / Float(rows)
        for row in 0..<rows {
            for column in 0..<columns {
                let point = Point(Float(column) + 0.5, Float(row) + 0.5) * pixel
                let coverage = min(max(0.5 - distance(point) / pixel, 0), 1)
                guard coverage > 0 else { continue }
                let at = row * columns + column
                colours[at] += (colour(point).rgb - colours[at]) * coverage
            }
        }
    }

    mutating func paint(_ colour: Colour, where distance: (Point) -> Float) {
        paint({ _ in colour }, where: distance)
    }

    /// Everything between two heights, from one colour to another.
    mutating func gradient(from top: Float, to bottom: Float, _ first: Colour, _ second: Colour) {
        paint({ first.mixed(with: second, ($0.y - top) / (bottom - top)) }, where: { max(top - $0.y, $0.y - bottom) })
    }

    /// Multiplies what lies between two heights with noise, as grass, sand or water has it. `grain` is the size of a
    /// speck: its width and height.
    mutating func roughen(from top: Float, to bottom: Float, grain: Point, strength: Float, seed: UInt32) {
        for row in 0..<rows {
            let y = (Float(row) + 0.5) / Float(rows)
            guard y >= top, y <= bottom else { continue }
            for column in 0..<columns {
                let x = (Float(column) + 0.5) / Float(rows)
                let noise = Noise(seed: seed).value(at: Point(x, y) / grain)
                colours[row * columns + column] *= 1 + strength * (noise - 0.5)
            }
        }
    }
}

/// Distances to the edges of shapes, negative within.
enum Shape {
    typealias Point = Canvas.Point

    static func ellipse(_ centre: Point, _ radii: Point) -> (Point) -> Float {
        { point in
            let scaled = (point - centre) / radii
            return ((scaled * scaled).sum().squareRoot() - 1) * min(radii.x, radii.y)
        }
    }

    static func circle(_ centre: Point, _ radius: Float) -> (Point) -> Float { ellipse(centre, Point(radius, radius)) }

    /// A line with round ends.
    static func stroke(_ start: Point, _ end: Point, _ thickness: Float) -> (Point) -> Float {
        let along = end - start
        let squaredLength = max((along * along).sum(), 1e-9)
        return { point in
            let share = min(max(((point - start) * along).sum() / squaredLength, 0), 1)
            let away = point - start - along * share
            return (away * away).sum().squareRoot() - thickness / 2
        }
    }

    static func rectangle(_ low: Point, _ high: Point, corner: Float = 0) -> (Point) -> Float {
        let centre = (low + high) / 2
        let half = (high - low) / 2 - corner
        return { point in
            let away = point - centre
            let past = Point(abs(away.x), abs(away.y)) - half
            let outside = pointwiseMax(past, .zero)
            return (outside * outside).sum().squareRoot() + min(max(past.x, past.y), 0) - corner
        }
    }

    /// What lies below a line that rises and falls: `height` gives y for x.
    static func below(_ height: @escaping (Float) -> Float) -> (Point) -> Float { { height($0.x) - $0.y } }
}

/// Smooth noise in 0...1 on a grid of random values.
struct Noise {
    let seed: UInt32

    func value(at point: SIMD2<Float>) -> Float {
        let (left, top) = (point.x.rounded(.down), point.y.rounded(.down))
        let (x, y) = (smooth(point.x - left), smooth(point.y - top))
        let (column, row) = (Int32(left), Int32(top))
        let above = corner(column, row) * (1 - x) + corner(column &+ 1, row) * x
        let below = corner(column, row &+ 1) * (1 - x) + corner(column &+ 1, row &+ 1) * x
        return above * (1 - y) + below * y
    }

    private func smooth(_ share: Float) -> Float { share * share * (3 - 2 * share) }

    private func corner(_ column: Int32, _ row: Int32) -> Float {
        var hash = UInt32(bitPattern: column) &* 0x9E37_79B1 ^ UInt32(bitPattern: row) &* 0x85EB_CA77 ^ seed
        hash = (hash ^ hash >> 15) &* 0x2C1B_3C6D
        hash = (hash ^ hash >> 12) &* 0x297A_2D39
        return Float((hash ^ hash >> 15) >> 8) / Float(1 << 24)
    }
}

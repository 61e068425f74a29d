/// Simple pictures of our own, for trials and tests.
public enum SampleScene: String, Sendable, CaseIterable {
    case dogOnGrass = "dog-on-grass"
    case beach
    case redCar = "red-car"
    case personInSnow = "person-in-snow"
    case ballOnGrass = "ball-on-grass"
    case mountainLake = "mountain-lake"

    /// The scene, `width` × `height` pixels; meant for sides of about 4:3.
    public func draw(width: Int = 500, height: Int = 375) -> Picture {
        var canvas = Canvas(columns: width, rows: height)
        switch self {
        case .dogOnGrass:
            canvas.paintMeadow(horizon: 0.35)
            canvas.paintDog(at: SIMD2(canvas.width * 0.5, 0.62), size: 0.5)
        case .beach: canvas.paintBeach()
        case .redCar: canvas.paintStreetWithCar()
        case .personInSnow: canvas.paintPersonInSnow()
        case .ballOnGrass:
            canvas.paintMeadow(horizon: 0.2)
            canvas.paintBall(at: SIMD2(canvas.width * 0.55, 0.66), radius: 0.17)
        case .mountainLake: canvas.paintMountainLake()
        }
        canvas.roughen(from: 0, to: 1, grain: SIMD2(0.004, 0.004), strength: 0.06, seed: 99)
        return canvas.picture
    }
}

extension Canvas {
    fileprivate mutating func paintMeadow(horizon: Float) {
        gradient(from: 0, to: horizon, Colour(0.45, 0.66, 0.92), Colour(0.82, 0.9, 0.97))
        paint(
            Colour(0.16, 0.33, 0.15),
            where: Shape.below { horizon - 0.05 - 0.03 * Noise(seed: 3).value(at: [$0 * 9, 0]) })
        gradient(from: horizon, to: 1, Colour(0.38, 0.58, 0.22), Colour(0.22, 0.43, 0.1))
        roughen(from: horizon, to: 1, grain: SIMD2(0.006, 0.025), strength: 0.7, seed: 1)
        roughen(from: horizon, to: 1, grain: SIMD2(0.15, 0.08), strength: 0.3, seed: 2)
    }

    /// A dog seen from the side, its body about `at`, `size` long.
    fileprivate mutating func paintDog(at: Point, size: Float) {
        func place(_ x: Float, _ y: Float) -> Point { at + Point(x, y) * size }
        let (fur, dark) = (Colour(0.55, 0.35, 0.17), Colour(0.33, 0.2, 0.1))
        paint(Colour(0.1, 0.2, 0.06), where: Shape.ellipse(place(0, 0.42), Point(0.55, 0.06) * size))
        for x: Float in [-0.36, 0.22] {
            paint(dark, where: Shape.stroke(place(x + 0.06, 0.1), place(x + 0.08, 0.4), 0.09 * size))
            paint(fur, where: Shape.stroke(place(x, 0.1), place(x - 0.02, 0.41), 0.1 * size))
        }
        paint(fur, where: Shape.stroke(place(-0.4, -0.08), place(-0.62, -0.32), 0.07 * size))
        let light = Colour(0.68, 0.47, 0.26)
        paint(
            { light.mixed(with: fur, ($0.y - at.y) / size * 2.5 + 0.5) },
            where: Shape.stroke(place(-0.3, 0), place(0.28, -0.02), 0.36 * size))
        paint(fur, where: Shape.stroke(place(0.32, -0.05), place(0.46, -0.28), 0.2 * size))
        paint(light, where: Shape.circle(place(0.5, -0.32), 0.15 * size))
        paint(light, where: Shape.stroke(place(0.55, -0.29), place(0.72, -0.26), 0.13 * size))
        paint(dark, where: Shape.ellipse(place(0.42, -0.3), Point(0.055, 0.14) * size))
        paint(.grey(0.05), where: Shape.circle(place(0.78, -0.28), 0.035 * size))
        paint(.grey(0.04), where: Shape.circle(place(0.56, -0.37), 0.022 * size))
        paint(Colour(0.8, 0.1, 0.12), where: Shape.stroke(place(0.33, -0.2), place(0.5, -0.12), 0.035 * size))
    }

    fileprivate mutating func paintBall(at centre: Point, radius: Float) {
        let shadow = Shape.ellipse(centre + Point(0.05, radius), Point(radius * 1.1, radius * 0.22))
        paint(Colour(0.09, 0.2, 0.05), where: shadow)
        paint(
            { point in
                let away = (point - centre + Point(radius, radius) * 0.4) / radius
                return Colour(0.98, 0.55, 0.12).scaled(by: 1.15 - 0.45 * (away * away).sum().squareRoot())
            }, where: Shape.circle(centre, radius))
        for bend: Float in [-0.55, 0, 0.55] {
            let start = centre + Point(bend, -0.82) * radius
            paint(.grey(0.97), where: Shape.stroke(start, centre + Point(bend, 0.82) * radius, radius * 0.07))
        }
    }

    fileprivate mutating func paintBeach() {
        gradient(from: 0, to: 0.42, Colour(0.25, 0.55, 0.93), Colour(0.85, 0.93, 0.98))
        paint(Colour(1, 0.97, 0.75), where: Shape.circle([width * 0.78, 0.14], 0.07))
        gradient(from: 0.42, to: 0.68, Colour(0.05, 0.3, 0.55), Colour(0.2, 0.65, 0.72))
        roughen(from: 0.42, to: 0.68, grain: SIMD2(0.09, 0.012), strength: 0.5, seed: 5)
        let shore: (Float) -> Float = { 0.66 + 0.03 * Noise(seed: 6).value(at: [$0 * 4, 0]) }
        paint(.grey(0.95), where: Shape.below { shore($0) - 0.012 })
        paint(
            { Colour(0.93, 0.83, 0.62).mixed(with: Colour(0.78, 0.65, 0.43), $0.y * 2 - 1.2) },
            where: Shape.below(shore))
        roughen(from: 0.69, to: 1, grain: SIMD2(0.008, 0.006), strength: 0.25, seed: 7)
        paint(Colour(0.4, 0.27, 0.15), where: Shape.stroke([width * 0.2, 0.92], [width * 0.24, 0.4], 0.018))
        for (index, colour) in [Colour(0.85, 0.15, 0.15), .grey(0.95), Colour(0.85, 0.15, 0.15)].enumerated() {
            let radius = 0.26 - 0.085 * Float(index)
            let dome = Shape.ellipse([width * 0.24, 0.46], [radius, 0.16])
            paint(colour, where: { max(dome($0), $0.y - 0.46) })
        }
    }

    fileprivate mutating func paintStreetWithCar() {
        gradient(from: 0, to: 0.55, Colour(0.6, 0.75, 0.9), Colour(0.87, 0.9, 0.93))
        for house in 0..<6 {
            let left = Float(house) * width / 6
            let top = 0.12 + 0.16 * Noise(seed: 11).value(at: [Float(house) * 1.7, 0])
            let wall = Colour(0.62, 0.5, 0.42).mixed(with: .grey(0.7), Float(house % 3) / 2)
            paint(wall, where: Shape.rectangle([left + 0.005, top], [left + width / 6 - 0.005, 0.58]))
            for row in 0..<3 {
                for column in 0..<3 {
                    let corner = Point(left + 0.03 + 0.065 * Float(column), top + 0.04 + 0.1 * Float(row))
                    paint(Colour(0.2, 0.27, 0.35), where: Shape.rectangle(corner, corner + Point(0.035, 0.055)))
                }
            }
        }
        gradient(from: 0.55, to: 1, .grey(0.42), .grey(0.28))
        roughen(from: 0.55, to: 1, grain: SIMD2(0.01, 0.005), strength: 0.2, seed: 12)
        for dash in 0..<5 {
            let left = 0.05 + Float(dash) * width / 5
            paint(.grey(0.9), where: Shape.rectangle([left, 0.92], [left + 0.14, 0.94]))
        }
        paintCar(at: [width * 0.5, 0.68])
    }

    private mutating func paintCar(at: Point) {
        let red = Colour(0.82, 0.07, 0.09)
        paint(.grey(0.15), where: Shape.ellipse(at + [0, 0.135], [0.44, 0.03]))
        paint(red.scaled(by: 0.85), where: Shape.rectangle(at + [-0.22, -0.17], at + [0.2, 0.03], corner: 0.08))
        paint(Colour(0.65, 0.8, 0.88), where: Shape.rectangle(at + [-0.18, -0.14], at + [-0.02, -0.03], corner: 0.03))
        paint(Colour(0.65, 0.8, 0.88), where: Shape.rectangle(at + [0.01, -0.14], at + [0.16, -0.03], corner: 0.03))
        paint(
            { red.scaled(by: 1.15 - ($0.y - at.y) * 2.5) },
            where: Shape.rectangle(at + [-0.42, -0.04], at + [0.42, 0.1], corner: 0.05))
        paint(Colour(1, 0.95, 0.7), where: Shape.ellipse(at + [0.39, 0], [0.025, 0.02]))
        for x: Float in [-0.25, 0.25] {
            paint(.grey(0.07), where: Shape.circle(at + [x, 0.09], 0.075))
            paint(.grey(0.72), where: Shape.circle(at + [x, 0.09], 0.04))
        }
    }

    fileprivate mutating func paintPersonInSnow() {
        gradient(from: 0, to: 0.62, Colour(0.55, 0.68, 0.85), Colour(0.88, 0.92, 0.96))
        let slope: (Float) -> Float = { [width] in
            0.38 + 0.18 * $0 / width + 0.03 * Noise(seed: 21).value(at: [$0 * 3, 0])
        }
        for tree in 0..<9 {
            let x = width * (Float(tree) + 0.5) / 9
            for tier in 0..<3 {
                let y = slope(x) - 0.05 - 0.055 * Float(tier)
                paint(
                    Colour(0.1, 0.22, 0.16), where: Shape.stroke([x, y], [x, y - 0.045], 0.07 - 0.018 * Float(tier)))
            }
        }
        paint({ Colour(0.97, 0.98, 1).mixed(with: Colour(0.78, 0.85, 0.95), $0.y - 0.35) }, where: Shape.below(slope))
        roughen(from: 0.35, to: 1, grain: SIMD2(0.05, 0.015), strength: 0.06, seed: 22)
        let at = Point(width * 0.48, 0.6)
        let (blue, trousers) = (Colour(0.1, 0.25, 0.75), Colour(0.12, 0.12, 0.18))
        paint(Colour(0.62, 0.7, 0.85), where: Shape.ellipse(at + [0.1, 0.33], [0.24, 0.025]))
        for side: Float in [-1, 1] {
            paint(trousers, where: Shape.stroke(at + [0.035 * side, 0.1], at + [0.07 * side, 0.31], 0.075))
            paint(
                Colour(0.85, 0.6, 0.1),
                where: Shape.stroke(at + [0.07 * side - 0.14, 0.335], at + [0.07 * side + 0.15, 0.325], 0.014))
            paint(
                blue.scaled(by: 0.85), where: Shape.stroke(at + [0.07 * side, -0.09], at + [0.17 * side, 0.05], 0.06))
            paint(.grey(0.25), where: Shape.stroke(at + [0.17 * side, 0.05], at + [0.21 * side, 0.33], 0.01))
        }
        paint(blue, where: Shape.stroke(at + [0, -0.08], at + [0, 0.07], 0.17))
        paint(Colour(0.86, 0.66, 0.53), where: Shape.circle(at + [0, -0.225], 0.055))
        paint(Colour(0.8, 0.12, 0.15), where: Shape.stroke(at + [-0.02, -0.265], at + [0.02, -0.265], 0.06))
    }

    fileprivate mutating func paintMountainLake() {
        gradient(from: 0, to: 0.6, Colour(0.3, 0.52, 0.86), Colour(0.9, 0.92, 0.95))
        func ridge(_ seed: UInt32, _ base: Float, _ height: Float) -> (Float) -> Float {
            { x in
                let noise = Noise(seed: seed)
                return base - height * (0.7 * noise.value(at: [x * 2.2, 0]) + 0.3 * noise.value(at: [x * 9, 7]))
            }
        }
        let cliffs = Noise(seed: 32)
        paint(
            { point in
                let shade = 1.15 - point.y / 2 + 0.35 * (cliffs.value(at: point / SIMD2(0.03, 0.06)) - 0.5)
                let snowLine = 0.27 + 0.06 * cliffs.value(at: [point.x * 20, 3])
                return (point.y < snowLine ? .grey(0.92) : Colour(0.48, 0.48, 0.54)).scaled(by: shade)
            }, where: Shape.below(ridge(31, 0.6, 0.55)))
        paint(Colour(0.15, 0.3, 0.2), where: Shape.below(ridge(33, 0.62, 0.16)))
        gradient(from: 0.6, to: 1, Colour(0.42, 0.6, 0.72), Colour(0.1, 0.25, 0.4))
        roughen(from: 0.6, to: 1, grain: SIMD2(0.2, 0.01), strength: 0.3, seed: 34)
    }
}

/// " Did you mean --beam?" for the nearest of the known names, or nothing if none is near.
///
/// Near is a distance of Levenshtein (insertions, deletions, replacements of one letter) of a third of the length at
/// most.
func suggestion(for text: String, among names: [String]) -> String {
    let nearest = names.map { (name: $0, distance: editDistance(text, $0)) }.min { $0.distance < $1.distance }
    guard let nearest, nearest.distance <= max(1, text.count / 3) else { return "" }
    return " Did you mean \(nearest.name)?"
}

private func editDistance(_ first: String, _ second: String) -> Int {
    let first = Array(first)
    let second = Array(second)
    var previous = Array(0...second.count)
    for (row, letter) in first.enumerated() {
        var current = [row + 1]
        for (column, other) in second.enumerated() {
            let replaced = previous[column] + (letter == other ? 0 : 1)
            current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
        }
        previous = current
    }
    return previous[second.count]
}

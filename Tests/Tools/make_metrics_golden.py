"""Writes metrics_golden.json: what pycocoevalcap, sacrebleu and NLTK make of captions, for the tests of Evaluation.

usage: "$(Tests/Tools/metrics-venv.sh)" Tests/Tools/make_metrics_golden.py [FLICKR8K_FOLDER]

The captions are those of metrics_captions.json and the sentences of tokenizer_sentences.txt, written for this purpose. With
Flickr8k's folder (Flickr8k.token.txt, Flickr_8k.devImages.txt), its tokens' digest and scores are written too, but none of
its captions. Without it, what is known of Flickr8k stays as it is.
"""
import contextlib
import io
import json
import pathlib
import subprocess
import sys

import nltk.translate.bleu_score
import sacrebleu
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer import ptbtokenizer

HERE = pathlib.Path(__file__).parent


def treebank_tokens(sentences):
    """The tokens of each sentence, punctuation included: the program that pycocoevalcap's PTBTokenizer runs, as it runs it,
    but for the encoding, which must not depend on the machine."""
    jar = pathlib.Path(ptbtokenizer.__file__).parent / ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR
    encoding = [f"-D{name}=UTF-8" for name in ("file.encoding", "stdout.encoding")]
    output = subprocess.run(
        ["java", *encoding, "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"],
        input="\n".join(sentences).encode(), capture_output=True, check=True).stdout.decode()
    lines = output.split("\n")[:len(sentences)]
    assert len(lines) == len(sentences)
    return lines


def words(treebank_line):
    """As pycocoevalcap's PTBTokenizer does it."""
    return [word for word in treebank_line.rstrip().split(" ") if word not in ptbtokenizer.PUNCTUATIONS]


def tokenize(captions):
    return [" ".join(words(line)) for line in treebank_tokens(captions)]


def scores(hypotheses, references):
    """Of tokenised captions: the corpus's and each image's."""
    gts = dict(enumerate(references))
    res = {image: [caption] for image, caption in enumerate(hypotheses)}
    with contextlib.redirect_stdout(io.StringIO()):
        bleu, bleu_images = Bleu(4).compute_score(gts, res)
        rouge, rouge_images = Rouge().compute_score(gts, res)
        cider, cider_images = Cider().compute_score(gts, res)
    return {
        "bleu": bleu, "rouge_l": float(rouge), "cider_d": float(cider),
        "images": [
            {"bleu": list(image_bleu), "rouge_l": float(image_rouge), "cider_d": float(image_cider)}
            for image_bleu, image_rouge, image_cider in zip(zip(*bleu_images), rouge_images, cider_images)
        ],
    }


def others(hypotheses, references):
    """sacrebleu's and NLTK's BLEU of the same tokens. NLTK counts an n-gram too many for a caption of fewer than n words, so it
    gets those of four words or more only."""
    most = max(map(len, references))
    streams = [[refs[i] if i < len(refs) else None for refs in references] for i in range(most)]
    sacre = []
    for order in range(1, 5):
        metric = sacrebleu.BLEU(tokenize="none", smooth_method="none", max_ngram_order=order)
        result = metric.corpus_score(hypotheses, streams)
        sacre.append({"score": result.score / 100, "brevity_penalty": result.bp, "ratio": result.sys_len / result.ref_len})
    long = [(h.split(), [r.split() for r in refs]) for h, refs in zip(hypotheses, references) if len(h.split()) >= 4]
    nltk_bleu = [
        nltk.translate.bleu_score.corpus_bleu(
            [refs for _, refs in long], [h for h, _ in long], weights=[1 / order] * order)
        for order in range(1, 5)
    ]
    return {"sacrebleu": sacre, "nltk": nltk_bleu}


def fnv1a(lines):
    value = 0xCBF29CE484222325
    for byte in "".join(line + "\n" for line in lines).encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def flickr(folder):
    rows = [line.rstrip("\n").split("\t", 1) for line in open(folder / "Flickr8k.token.txt", encoding="utf-8")]
    tokens = tokenize([caption for _, caption in rows])
    by_image = {}
    for (name, _), line in zip(rows, tokens):
        by_image.setdefault(name.rsplit("#", 1)[0], []).append(line)
    dev = (folder / "Flickr_8k.devImages.txt").read_text().split()
    result = scores([by_image[name][0] for name in dev], [by_image[name][1:] for name in dev])
    return {
        "what": "the first caption of each dev image against its four others",
        "captions": len(rows), "tokens": sum(len(line.split()) for line in tokens), "tokens_digest": fnv1a(tokens),
        **{key: value for key, value in result.items() if key != "images"},
        "first_images": result["images"][:20],
    }


def main():
    target = HERE / "metrics_golden.json"
    old = json.loads(target.read_text()) if target.exists() else {}
    sentences = (HERE / "tokenizer_sentences.txt").read_text(encoding="utf-8").splitlines()
    captions = json.loads((HERE / "metrics_captions.json").read_text(encoding="utf-8"))
    hypotheses = tokenize([image["caption"] for image in captions])
    counts = [len(image["captions"]) for image in captions]
    flat = iter(tokenize([reference for image in captions for reference in image["captions"]]))
    references = [[next(flat) for _ in range(count)] for count in counts]
    golden = {
        "made_by": "make_metrics_golden.py: pycocoevalcap 1.2, "
                   f"sacrebleu {sacrebleu.__version__}, nltk {nltk.__version__}",
        "sentences": [{"text": text, "tokens": line} for text, line in zip(sentences, treebank_tokens(sentences))],
        "captions": [{**image, "tokens": h, "reference_tokens": r}
                     for image, h, r in zip(captions, hypotheses, references)],
        "scores": scores(hypotheses, references),
        "others": others(hypotheses, references),
        "flickr8k": flickr(pathlib.Path(sys.argv[1])) if len(sys.argv) > 1 else old.get("flickr8k"),
    }
    target.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


main()

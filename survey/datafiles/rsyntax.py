"""An R script that reads the CSV, labels it, lays out the design and estimates the index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from survey.datafiles.variables import SILENT
from survey.text import t

if TYPE_CHECKING:
    from survey.datafiles.design import Design
    from survey.datafiles.extract import Extract


def script(extract: Extract, design: Design, data: str) -> str:
    """The script for the CSV file called ``data``, beside which it lies."""
    parts = [_read(extract, data), _labels(extract)]
    if extract.sampled:
        parts += [_design(extract, design), _index(design), _estimate(extract)]
    else:
        parts.append(f"# {t('data.syntax.no_design')}\n")
    return "\n".join(parts)


def _read(extract: Extract, data: str) -> str:
    names = [c.name for c in extract.columns if c.kind == "text"]
    return f"""# {extract.title}
# {t("data.syntax.head")}
# {t("data.syntax.r")}
tep <- {_text(data)}
chu <- c({_listed(names)})
dau <- names(read.csv(tep, nrows = 1, check.names = FALSE, fileEncoding = "UTF-8-BOM"))
kieu <- ifelse(dau %in% chu, "character", "numeric")
du_lieu <- read.csv(tep, check.names = FALSE, na.strings = "", colClasses = kieu,
                    fileEncoding = "UTF-8-BOM", encoding = "UTF-8")
stopifnot(nrow(du_lieu) == {extract.n})
"""


def _labels(extract: Extract) -> str:
    codes = [c for c in extract.columns if c.kind == "code"]
    lines = [f"# {t('data.syntax.labels')}", "nhan <- c("]
    lines += _rows(f"{_text(c.name)} = {_text(c.label)}" for c in extract.columns)
    lines += [")", f"# {t('data.syntax.values')}", "muc <- list("]
    lines += _rows(f"{_text(c.name)} = c({_codes(c.values)})" for c in codes)
    lines += [")", f"# {t('data.syntax.silent', silent=SILENT)}"]
    lines.append(f"im_lang <- c({_listed([c.name for c in codes if c.silent])})")
    lines += [
        "for (b in im_lang) du_lieu[[b]][du_lieu[[b]] %in% 9] <- NA",
        'for (b in names(nhan)) attr(du_lieu[[b]], "label") <- nhan[[b]]',
        "thanh_chu <- function(b)",
        "  factor(du_lieu[[b]], levels = muc[[b]], labels = names(muc[[b]]))",
        "",
    ]
    return "\n".join(lines)


def _design(extract: Extract, design: Design) -> str:
    fpc = ", fpc = ~fpc" if design.fpc else ""
    lines = [
        f"# {t('data.syntax.design')}",
        "library(survey)",
        f'options(survey.lonely.psu = "{extract.wave.lonely}")',
    ]
    if design.partial:
        lines.append(f"# {t('data.syntax.partial')}")
    lines.append(
        f"mau <- svydesign(ids = ~psu, strata = ~stratum, weights = ~{design.weight}{fpc},"
        " nest = TRUE, data = du_lieu)"
    )
    if design.margins:
        lines += _calibrated(design)
    return "\n".join([*lines, ""])


def _calibrated(design: Design) -> list[str]:
    """Calibrate as the wave was; trimmed weights keep the residuals of the regression."""
    made = design.margins
    if made is None:
        return []
    lines = [f"# {t('data.syntax.margins')}", "tong <- list("]
    lines += _rows(
        f"{_text(name)} = c({', '.join(f'{_text(k)} = {v!r}' for k, v in cells.items())})"
        for name, cells in made.targets.items()
    )
    lines += [
        ")",
        'nhom <- paste0("m", seq_along(tong))',
        "for (k in seq_along(tong)) mau$variables[[nhom[k]]] <-"
        " factor(du_lieu[[names(tong)[k]]], levels = names(tong[[k]]))",
        'quan_the <- c("(Intercept)" = sum(tong[[1]]))',
        "for (k in seq_along(tong)) {",
        "  rieng <- tong[[k]][-1]",
        "  names(rieng) <- paste0(nhom[k], names(rieng))",
        "  quan_the <- c(quan_the, rieng)",
        "}",
        'cong_thuc <- as.formula(paste("~", paste(nhom, collapse = " + ")))',
    ]
    how = {"rake": "raking", "linear": "linear", "logit": "logit"}[made.method]
    bounds = f", bounds = c({made.bounds[0]!r}, {made.bounds[1]!r})" if how == "logit" else ""
    lines.append(
        f'mau <- calibrate(mau, cong_thuc, population = quan_the, calfun = "{how}"{bounds},'
        " epsilon = 1e-11, maxit = 500)"
    )
    if made.trimmed:
        lines += [
            f"# {t('data.syntax.trimmed')}",
            "mau$prob <- 1 / du_lieu$weight",
            "k <- length(mau$postStrata)",
            "mau$postStrata[[k]]$w <- du_lieu$weight / sqrt(du_lieu$start)",
        ]
    lines.append("stopifnot(max(abs(weights(mau) / du_lieu$weight - 1)) < 1e-6)")
    return lines


def _index(design: Design) -> str:
    lines = [f"# {t('data.syntax.index')}"]
    lines.append(f"muc_hoi <- c({_listed(design.items)})")
    lines.append(f"diem <- c({', '.join(repr(p) for p in design.points)})")
    lines.append("tra_loi <- du_lieu[muc_hoi]")
    if design.experienced:
        asked, only = design.experienced
        lines += [
            f"# {t('data.syntax.experienced')}",
            f"co_giao_dich <- rowSums(du_lieu[c({_listed(asked)})] == 1, na.rm = TRUE) > 0",
            f"tra_loi[!co_giao_dich, c({_listed(only)})] <- NA",
        ]
    lines.append("chi_so <- list(")
    lines += _rows(
        f"list(loai = {_text(kind)}, ten = {_text(name)}, gop = {'TRUE' if pooled else 'FALSE'},"
        f" w = c({', '.join(f'{_text(i)} = {w!r}' for i, w in weights.items())}))"
        for kind, name, weights, pooled in design.composites
    )
    lines += [")", ""]
    return "\n".join(lines)


def _estimate(extract: Extract) -> str:
    divided = len(set(extract.divided.values())) > 1
    parts = f"""# {t("data.syntax.parts")}
# for (p in sort(unique(du_lieu$part))) print(uoc_luong(subset(mau, part == p)))
""" if divided else ""  # fmt: skip
    return (
        f"""# {t("data.syntax.estimate")}
for (b in muc_hoi) {{
  x <- as.numeric(tra_loi[[b]])
  mau$variables[[paste0("tu_", b)]] <- ifelse(is.na(x), 0, diem[x])
  mau$variables[[paste0("ms_", b)]] <- as.numeric(!is.na(x))
}}
uoc_luong <- function(m) {{
  cot <- c(paste0("tu_", muc_hoi), paste0("ms_", muc_hoi))
  t <- svytotal(as.formula(paste("~", paste(cot, collapse = " + "))), m)
  tong <- coef(t)
  v <- as.matrix(vcov(t))
  j <- length(muc_hoi)
  tu <- tong[1:j]
  ms <- tong[j + 1:j]
  mot <- function(loai, ten, gia_tri, doc) data.frame(
    loai = loai, ten = ten, gia_tri = unname(gia_tri),
    sai_so_chuan = sqrt(max(0, as.numeric(t(doc) %*% v %*% doc))))
  ra <- lapply(seq_len(j), function(i) {{
    doc <- numeric(2 * j)
    doc[i] <- 1 / ms[i]
    doc[j + i] <- -tu[i] / ms[i]^2
    mot("item", muc_hoi[i], tu[i] / ms[i], doc)
  }})
  for (c in chi_so) {{
    o <- match(names(c$w), muc_hoi)
    doc <- numeric(2 * j)
    if (c$gop) {{
      gia_tri <- sum(tu[o]) / sum(ms[o])
      doc[o] <- 1 / sum(ms[o])
      doc[j + o] <- -gia_tri / sum(ms[o])
    }} else {{
      gia_tri <- sum(c$w * tu[o] / ms[o])
      doc[o] <- c$w / ms[o]
      doc[j + o] <- -c$w * tu[o] / ms[o]^2
    }}
    ra <- c(ra, list(mot(c$loai, c$ten, gia_tri, doc)))
  }}
  do.call(rbind, ra)
}}
ket_qua <- uoc_luong(mau)
print(ket_qua, digits = 6)
write.csv(ket_qua, "ket-qua.csv", row.names = FALSE)
"""
        + parts
    )


def _rows(cells: Iterable[str]) -> list[str]:
    """Lines of a list, all but the last with a comma."""
    held = list(cells)
    return [f"  {cell}," for cell in held[:-1]] + [f"  {cell}" for cell in held[-1:]]


def _codes(values: Mapping[int, str]) -> str:
    return ", ".join(f"{_text(label)} = {code}" for code, label in values.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_text(name) for name in names)


def _text(value: str) -> str:
    """A text as R writes it: JSON's escapes are R's, too."""
    return json.dumps(value, ensure_ascii=False).replace("\\/", "/")

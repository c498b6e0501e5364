# The report that benchmarks/engine.py times, written as a careful user of R's survey would:
# 22 items with design effect and Korn-Graubard interval, 5 factors and the total with their
# joint covariance, for the whole country and each province, the design kept whole.
#   Rscript survey.R DATA.csv OUT.csv   prints CPU seconds: all of it, and the
# indices with their covariance alone (the shortest way, without design effects and intervals).
suppressPackageStartupMessages(library(survey))
options(survey.lonely.psu = "adjust")
files <- commandArgs(TRUE)
d <- read.csv(files[1])
items <- sprintf("c%02d", 1:22)
for (item in items) {
  answered <- !is.na(d[[item]])
  d[[paste0("a_", item)]] <- as.numeric(answered)
  d[[paste0("x_", item)]] <- as.numeric(d[[item]] >= 4)
  d[[paste0("y_", item)]] <- ifelse(answered, d[[paste0("x_", item)]], 0)
}
cpu <- function() sum(proc.time()[c("user.self", "sys.self")])

factors <- list(F1 = 1:4, F2 = 5:9, F3 = 10:14, F4 = 15:18, F5 = 19:22)
ratio <- sprintf("y_%s / a_%s", items, items)
mean_of <- function(at) str2lang(paste0("(", paste(ratio[at], collapse = " + "), ") / ", length(at)))
indices <- c(lapply(ratio, str2lang), lapply(factors, mean_of), list(mean_of(1:22)))
names(indices) <- c(items, names(factors), "total")
sums <- reformulate(paste0(rep(c("y_", "a_"), each = 22), items))

started <- cpu()
design <- svydesign(~psu, strata = ~stratum, weights = ~w, fpc = ~fpc, data = d)
provinces <- sort(unique(d$province))
inside <- c(list(design), lapply(provinces, function(p) subset(design, province == p)))
# Sums with their joint covariance, then every index of them by the delta method.
found <- lapply(inside, function(part) svycontrast(svytotal(sums, part), indices))
of_sums <- cpu() - started

# svyratio and not svymean: na.rm = TRUE would drop rows before the design is looked at.
started <- cpu()
for (item in items) {
  y <- reformulate(paste0("y_", item))
  a <- reformulate(paste0("a_", item))
  x <- reformulate(paste0("x_", item))
  whole <- svyratio(y, a, design, deff = TRUE)
  bounds <- attr(svyciprop(x, design, method = "beta"), "ci")
  by <- svyby(y, ~province, denominator = a, design, svyratio, deff = TRUE, vartype = "se")
  by_bounds <- svyby(x, ~province, design, svyciprop, method = "beta", vartype = "ci")
}
of_items <- cpu() - started

se <- t(sapply(found, function(one) sqrt(diag(vcov(one)))))
value <- t(sapply(found, coef))
table <- data.frame(province = c(0, provinces), value, se)
write.table(format(table, digits = 15), files[2], sep = ",", quote = FALSE, row.names = FALSE)
cat(of_sums + of_items, of_sums, "\n")

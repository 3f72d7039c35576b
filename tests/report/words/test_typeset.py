"""Mathematics as a reader is used to see it, on a page, in a picture and in a terminal; words in between stay."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.report.words.mathematics import parse
from dlnrepro.report.words.notation import ACCENTS, GREEK, SIGNS, Part, Root, Script
from dlnrepro.report.words.typeset import (
    END,
    SUBSCRIPT,
    SUPERSCRIPT,
    bound_words,
    in_html,
    in_picture,
    in_terminal,
    picture_lines,
    power_of_ten,
    shortened,
)
from dlnrepro.report.words.words import size
from dlnrepro.settings.numerals import setting
from dlnrepro.visible import in_a_line, visible

# What is written, what a page shows and what a terminal shows. Most rows are from claims and runners.
NOTATION = [
    (
        "sigma_1^(1-2/N) (sigma_1 - sigma_2)",
        "σ<sub>1</sub><sup>1−2/N</sup> (σ<sub>1</sub> − σ<sub>2</sub>)",
        "σ₁^(1-2/N) (σ₁ - σ₂)",
    ),
    (
        "||W||^-2.",
        "‖W‖<sup>−2</sup>.",
        "‖W‖⁻².",
    ),
    (
        "W_1^T W_1, eta x sharpness >= 2",
        "W<sub>1</sub><sup>T</sup> W<sub>1</sub>, η × sharpness ≥ 2",
        "W₁ᵀ W₁, η × sharpness ≥ 2",
    ),
    (
        "u^T Z v -> sigma_1",
        "u<sup>T</sup> Z v → σ<sub>1</sub>",
        "uᵀ Z v → σ₁",
    ),
    (
        "W_(l+1)^T W_(l+1) - W_l W_l^T",
        "W<sub>l+1</sub><sup>T</sup> W<sub>l+1</sub> − W<sub>l</sub> W<sub>l</sub><sup>T</sup>",
        "Wₗ₊₁ᵀ Wₗ₊₁ - Wₗ Wₗᵀ",
    ),
    (
        "||W_{l+1}^T W_{l+1}||_F over ||W_1||_F^2, >= 0",
        "‖W<sub>l+1</sub><sup>T</sup> W<sub>l+1</sub>‖<sub>F</sub> over ‖W<sub>1</sub>‖<sub>F</sub><sup>2</sup>, ≥ 0",
        "‖Wₗ₊₁ᵀ Wₗ₊₁‖_F over ‖W₁‖_F², ≥ 0",
    ),
    (
        "L s^(2-2/L)",
        "L s<sup>2−2/L</sup>",
        "L s^(2-2/L)",
    ),
    (
        "P^(2/L-1)",
        "P<sup>2/L−1</sup>",
        "P^(2/L-1)",
    ),
    (
        "sharpness / (L sum_p |u^T M_p v|^(2-2/L))",
        "sharpness / (L ∑<sub>p</sub> |u<sup>T</sup> M<sub>p</sub> v|<sup>2−2/L</sup>)",
        "sharpness / (L ∑ₚ |uᵀ Mₚ v|^(2-2/L))",
    ),
    (
        "max_k L sum_p q_{p,k}^(2-2/L)",
        "max<sub>k</sub> L ∑<sub>p</sub> q<sub>p,k</sub><sup>2−2/L</sup>",
        "maxₖ L ∑ₚ q_(p,k)^(2-2/L)",
    ),
    (
        "v ~ e^(H tau) (u_0; v_0)",
        "v ∼ e<sup>H τ</sup> (u<sub>0</sub>; v<sub>0</sub>)",
        "v ~ e^(H τ) (u₀; v₀)",
    ),
    (
        "tau = int ||W||_F^(1-2/L) dt",
        "τ = ∫ ‖W‖<sub>F</sub><sup>1−2/L</sup> dt",
        "τ = ∫ ‖W‖_F^(1-2/L) dt",
    ),
    (
        "h int_0^t |w|^(1-2/L)",
        "h ∫<sub>0</sub><sup>t</sup> |w|<sup>1−2/L</sup>",
        "h ∫₀^t |w|^(1-2/L)",
    ),
    (
        "the integral of s^(1-2/N) over time",
        "the integral of s<sup>1−2/N</sup> over time",
        "the integral of s^(1-2/N) over time",
    ),
    (
        "K s_0^(-(N-2)/N)",
        "K s<sub>0</sub><sup>−(N−2)/N</sup>",
        "K s₀^(-(N-2)/N)",
    ),
    (
        "eps^(-(N-2) sigma_1 / (sigma_1 + sigma_2))",
        "ε<sup>−(N−2) σ<sub>1</sub> / (σ<sub>1</sub> + σ<sub>2</sub>)</sup>",
        "ε^(-(N-2) σ₁ / (σ₁ + σ₂))",
    ),
    (
        "max(1 / (sigma_1 - sigma_2), 2 / sigma_1)",
        "max(1 / (σ<sub>1</sub> − σ<sub>2</sub>), 2 / σ<sub>1</sub>)",
        "max(1 / (σ₁ - σ₂), 2 / σ₁)",
    ),
    (
        "z = w^-(L-2) falls by (L-2) eta <r> per step",
        "z = w<sup>−(L−2)</sup> falls by (L−2) η ⟨r⟩ per step",
        "z = w^-(L-2) falls by (L-2) η ⟨r⟩ per step",
    ),
    (
        "3 (L-2) / (2 (5L-4)) (gamma - 2)",
        "3 (L−2) / (2 (5L−4)) (γ − 2)",
        "3 (L-2) / (2 (5L-4)) (γ - 2)",
    ),
    (
        "(gamma-2)^2",
        "(γ−2)<sup>2</sup>",
        "(γ-2)²",
    ),
    (
        "w_p^-(L-2) - w_r^-(L-2) = const",
        "w<sub>p</sub><sup>−(L−2)</sup> − w<sub>r</sub><sup>−(L−2)</sup> = const",
        "wₚ^-(L-2) - wᵣ^-(L-2) = const",
    ),
    (
        "||W_l|| ~ ((L-2) g_0 t)^(-1/(L-2)) with g_0 = -l'(0)",
        "‖W<sub>l</sub>‖ ∼ ((L−2) g<sub>0</sub> t)<sup>−1/(L−2)</sup> with g<sub>0</sub> = −l′(0)",
        "‖Wₗ‖ ~ ((L-2) g₀ t)^(-1/(L-2)) with g₀ = -l'(0)",
    ),
    (
        "s = ((2L-2) t)^(-L/(2L-2))",
        "s = ((2L−2) t)<sup>−L/(2L−2)</sup>",
        "s = ((2L-2) t)^(-L/(2L-2))",
    ),
    (
        "beta(R) = 2 L^2 R^(2L-2) (b + G)",
        "β(R) = 2 L<sup>2</sup> R<sup>2L−2</sup> (b + G)",
        "β(R) = 2 L² R²ᴸ⁻² (b + G)",
    ),
    (
        "eta ||grad R||^2 / 2",
        "η ‖∇R‖<sup>2</sup> / 2",
        "η ‖grad R‖² / 2",
    ),
    (
        "|grad R| ~ R (log 1/R)^(1-1/L)",
        "|∇R| ∼ R (log 1/R)<sup>1−1/L</sup>",
        "|grad R| ~ R (log 1/R)^(1-1/L)",
    ),
    (
        "g_BP = Q^T Q g_top",
        "g<sub>BP</sub> = Q<sup>T</sup> Q g<sub>top</sub>",
        "g_BP = Qᵀ Q g_top",
    ),
    (
        "largest ||Q^T Q g_l - g_BP,l||_F / ||g_BP,l||_F",
        "largest ‖Q<sup>T</sup> Q g<sub>l</sub> − g<sub>BP,l</sub>‖<sub>F</sub> / ‖g<sub>BP,l</sub>‖<sub>F</sub>",
        "largest ‖Qᵀ Q gₗ - g_BP,l‖_F / ‖g_BP,l‖_F",
    ),
    (
        "gamma ||rho*|| and max -<rho*, z_i>",
        "γ ‖ρ*‖ and max −⟨ρ*, z<sub>i</sub>⟩",
        "γ ‖ρ*‖ and max -⟨ρ*, zᵢ⟩",
    ),
    (
        "1 - |<v_(l+1), u_l>| of all neighbours",
        "1 − |⟨v<sub>l+1</sub>, u<sub>l</sub>⟩| of all neighbours",
        "1 - |⟨vₗ₊₁, uₗ⟩| of all neighbours",
    ),
    (
        "1 - |<W_L ... W_1, v_1>| / prod_l ||W_l||_F",
        "1 − |⟨W<sub>L</sub> … W<sub>1</sub>, v<sub>1</sub>⟩| / ∏<sub>l</sub> ‖W<sub>l</sub>‖<sub>F</sub>",
        "1 - |⟨W_L ... W₁, v₁⟩| / ∏ₗ ‖Wₗ‖_F",
    ),
    (
        "the largest | ||W_l ... W_1 v|| / s^(l/L) - 1|",
        "the largest | ‖W<sub>l</sub> … W<sub>1</sub> v‖ / s<sup>l/L</sup> − 1|",
        "the largest | ‖Wₗ ... W₁ v‖ / s^(l/L) - 1|",
    ),
    (
        "<c_i, c*_i> / ||c*_i||^2",
        "⟨c<sub>i</sub>, c*<sub>i</sub>⟩ / ‖c*<sub>i</sub>‖<sup>2</sup>",
        "⟨cᵢ, c*ᵢ⟩ / ‖c*ᵢ‖²",
    ),
    (
        "sum_i p_i log(p_max / p_i)",
        "∑<sub>i</sub> p<sub>i</sub> log(p<sub>max</sub> / p<sub>i</sub>)",
        "∑ᵢ pᵢ log(p_max / pᵢ)",
    ),
    (
        "sine x log(1/R) is gamma ||rho*||",
        "sine × log(1/R) is γ ‖ρ*‖",
        "sine × log(1/R) is γ ‖ρ*‖",
    ),
    (
        "a factor 1 / (2 eta decay) x log of the fall",
        "a factor 1 / (2 η decay) × log of the fall",
        "a factor 1 / (2 η decay) × log of the fall",
    ),
    (
        "e^(0.8 x 1.7) = 4 times",
        "e<sup>0.8 × 1.7</sup> = 4 times",
        "e^(0.8 × 1.7) = 4 times",
    ),
    (
        "the product starts as start x U Q V^T",
        "the product starts as start × U Q V<sup>T</sup>",
        "the product starts as start × U Q Vᵀ",
    ),
    (
        "jitter x, with x uniform in [-1, 1]",
        "jitter x, with x uniform in [−1, 1]",
        "jitter x, with x uniform in [-1, 1]",
    ),
    (
        "directions of strength x (small), and then overlaps x with mode 1",
        "directions of strength x (small), and then overlaps x with mode 1",
        "directions of strength x (small), and then overlaps x with mode 1",
    ),
    (
        "log(1/R)^((L-1)/L)",
        "log(1/R)<sup>(L−1)/L</sup>",
        "log(1/R)^((L-1)/L)",
    ),
    (
        "W_1 = V D^(1/2)",
        "W<sub>1</sub> = V D<sup>1/2</sup>",
        "W₁ = V D^(1/2)",
    ),
    (
        "e^-20, k^-1.5, c^-2, 0.9^800 and 2.25^(1/6) - 1",
        "e<sup>−20</sup>, k<sup>−1.5</sup>, c<sup>−2</sup>, 0.9<sup>800</sup> and 2.25<sup>1/6</sup> − 1",
        "e⁻²⁰, k^-1.5, c⁻², 0.9⁸⁰⁰ and 2.25^(1/6) - 1",
    ),
    (
        "sqrt(sigma_1^2 + sigma_2^2) / sigma_1",
        "√(σ<sub>1</sub><sup>2</sup> + σ<sub>2</sub><sup>2</sup>) / σ<sub>1</sub>",
        "√(σ₁² + σ₂²) / σ₁",
    ),
    (
        "+-1 / sqrt(fan-in), scale / sqrt(n_{l-1}), sqrt(2000), 1 / sqrt(n_c)",
        "±1 / √(fan-in), scale / √n<sub>l−1</sub>, √2000, 1 / √n<sub>c</sub>",
        "±1 / √(fan-in), scale / √nₗ₋₁, √2000, 1 / √n_c",
    ),
    (
        "sqrt(alpha eta) layers per step",
        "√(α η) layers per step",
        "√(α η) layers per step",
    ),
    (
        "(1 - a_2/a_1)^(-L/(L-2))",
        "(1 − a<sub>2</sub>/a<sub>1</sub>)<sup>−L/(L−2)</sup>",
        "(1 - a₂/a₁)^(-L/(L-2))",
    ),
    (
        "(1-x)^beta + x^beta = gamma_c / gamma",
        "(1−x)<sup>β</sup> + x<sup>β</sup> = γ<sub>c</sub> / γ",
        "(1-x)^β + x^β = γ_c / γ",
    ),
    (
        "x <= min(x_law, x*) at gamma < 2 P^(1-2/L)",
        "x ≤ min(x<sub>law</sub>, x*) at γ &lt; 2 P<sup>1−2/L</sup>",
        "x ≤ min(x_law, x*) at γ < 2 P^(1-2/L)",
    ),
    (
        "lambda_max((2 rho + alpha) A^T A + 2 K)",
        "λ<sub>max</sub>((2 ρ + α) A<sup>T</sup> A + 2 K)",
        "λ_max((2 ρ + α) Aᵀ A + 2 K)",
    ),
    (
        "sqrt(1 - eta rho sigma_min^2) and |mu|^2",
        "√(1 − η ρ σ<sub>min</sub><sup>2</sup>) and |μ|<sup>2</sup>",
        "√(1 - η ρ σ_min²) and |μ|²",
    ),
    (
        "-ln tan(theta / 2) grows by (c_0 / pi) sin^2(theta)",
        "−ln tan(θ / 2) grows by (c<sub>0</sub> / π) sin<sup>2</sup>(θ)",
        "-ln tan(θ / 2) grows by (c₀ / π) sin²(θ)",
    ),
    (
        "-(v - cos(theta) w/|w|)^T grad R(w)",
        "−(v − cos(θ) w/|w|)<sup>T</sup> ∇R(w)",
        "-(v - cos(θ) w/|w|)ᵀ grad R(w)",
    ),
    (
        "2 / (C (1 + (N-2) c_0 |w(0)|^(1-2/N) t)^a + 1)",
        "2 / (C (1 + (N−2) c<sub>0</sub> |w(0)|<sup>1−2/N</sup> t)<sup>a</sup> + 1)",
        "2 / (C (1 + (N-2) c₀ |w(0)|^(1-2/N) t)^a + 1)",
    ),
    (
        "-N/(N-2) from u = u_1, v = -v_1; it is -L",
        "−N/(N−2) from u = u<sub>1</sub>, v = −v<sub>1</sub>; it is −L",
        "-N/(N-2) from u = u₁, v = -v₁; it is -L",
    ),
    (
        "-d log ||W||_F / dt, and -dln t / dln x",
        "−d log ‖W‖<sub>F</sub> / dt, and −dln t / dln x",
        "-d log ‖W‖_F / dt, and -dln t / dln x",
    ),
    (
        "a' = L a^(2-2/L) (s - a), phi(z) = phi'(z) z, P' = 1 .. P",
        "a′ = L a<sup>2−2/L</sup> (s − a), φ(z) = φ′(z) z, P′ = 1 … P",
        "a' = L a^(2-2/L) (s - a), φ(z) = φ'(z) z, P' = 1 .. P",
    ),
    (
        "||W - W'||_F / max_t ||W||_F",
        "‖W − W′‖<sub>F</sub> / max<sub>t</sub> ‖W‖<sub>F</sub>",
        "‖W - W'‖_F / maxₜ ‖W‖_F",
    ),
    (
        "u_k^T u + v_k^T v != 0",
        "u<sub>k</sub><sup>T</sup> u + v<sub>k</sub><sup>T</sup> v ≠ 0",
        "uₖᵀ u + vₖᵀ v ≠ 0",
    ),
    (
        "the largest |dsigma_r/dt - formula|",
        "the largest |dσ<sub>r</sub>/dt − formula|",
        "the largest |dσᵣ/dt - formula|",
    ),
    (
        "||W - sum_k a_k(t) u_k v_k^T||_F / sigma_1",
        "‖W − ∑<sub>k</sub> a<sub>k</sub>(t) u<sub>k</sub> v<sub>k</sub><sup>T</sup>‖<sub>F</sub> / σ<sub>1</sub>",
        "‖W - ∑ₖ aₖ(t) uₖ vₖᵀ‖_F / σ₁",
    ),
    (
        "||W - Z_(k*)||_F, ||W - W_LS||_F and f_linear",
        "‖W − Z<sub>k*</sub>‖<sub>F</sub>, ‖W − W<sub>LS</sub>‖<sub>F</sub> and f<sub>linear</sub>",
        "‖W - Z_(k*)‖_F, ‖W - W_LS‖_F and f_linear",
    ),
    (
        "max_t ||W_epsilon - W_0||_F",
        "max<sub>t</sub> ‖W<sub>ε</sub> − W<sub>0</sub>‖<sub>F</sub>",
        "maxₜ ‖W_ε - W₀‖_F",
    ),
    (
        "n_1 = ... = n_{L-1}, the widths",
        "n<sub>1</sub> = … = n<sub>L−1</sub>, the widths",
        "n₁ = ... = n_(L-1), the widths",
    ),
    (
        "l(m) = log(1 + exp(-m)), f(u) = -u of a difference, exp(-clock), L-2",
        "l(m) = log(1 + exp(−m)), f(u) = −u of a difference, exp(−clock), L−2",
        "l(m) = log(1 + exp(-m)), f(u) = -u of a difference, exp(-clock), L-2",
    ),
    (
        "(||W_k||_F^2 - ||W_k||_2^2) / E_k",
        "(‖W<sub>k</sub>‖<sub>F</sub><sup>2</sup> − ‖W<sub>k</sub>‖<sub>2</sub><sup>2</sup>) / E<sub>k</sub>",
        "(‖Wₖ‖_F² - ‖Wₖ‖₂²) / Eₖ",
    ),
    (
        "radius^steps, e^-clock, (1 - eta decay)^t",
        "radius<sup>steps</sup>, e<sup>−clock</sup>, (1 − η decay)<sup>t</sup>",
        "radius^steps, e^-clock, (1 - η decay)^t",
    ),
    (
        "the step ratio gamma = eta L s_1^(2-2/L)",
        "the step ratio γ = η L s<sub>1</sub><sup>2−2/L</sup>",
        "the step ratio γ = η L s₁^(2-2/L)",
    ),
    (
        "epsilon^(2 - 2 sigma_{i+1} / sigma_i)",
        "ε<sup>2 − 2 σ<sub>i+1</sub> / σ<sub>i</sub></sup>",
        "ε^(2 - 2 σᵢ₊₁ / σᵢ)",
    ),
    (
        "Sigma = Delta^2 Omega, W^+ and x^*",
        "Σ = Δ<sup>2</sup> Ω, W<sup>+</sup> and x<sup>*</sup>",
        "Σ = Δ² Ω, W⁺ and x^*",
    ),
    (
        "beta stays no word of alphabet, and theology has theta-like words",
        "β stays no word of alphabet, and theology has θ-like words",
        "β stays no word of alphabet, and theology has θ-like words",
    ),
    (
        "2^1/2, 1e-8, rank_one_gap, step_size, law_depth, start_scale",
        '2^1/2, <span class="whole">1e-8</span>, rank_one_gap, step_size, law_depth, start_scale',
        "2^1/2, 1e-8, rank_one_gap, step_size, law_depth, start_scale",
    ),
    (
        "what is the sine between w and ubar, with xhat_1 and Wtilde^T; toolbar, rebar, x_bar",
        "what is the sine between w and ū, with x̂<sub>1</sub> and W̃<sup>T</sup>; toolbar, rebar, x<sub>bar</sub>",
        "what is the sine between w and ū, with x̂₁ and W̃ᵀ; toolbar, rebar, x_bar",
    ),
    (
        "theta_error, |clock_slope - (2 theta - 1)|",
        "theta_error, |clock_slope − (2 θ − 1)|",
        "theta_error, |clock_slope - (2 θ - 1)|",
    ),
    (
        "`sigma_1` and `law_depth` in max-margin-direction, k-2-any, dlnrepro.theta",
        "<code>sigma_1</code> and <code>law_depth</code> in max-margin-direction, k-2-any, dlnrepro.theta",
        "`sigma_1` and `law_depth` in max-margin-direction, k-2-any, dlnrepro.theta",
    ),
    (
        "a/b, and/or, the 1-norm, 0.98-1.05, seeds 0-39, -s KEY=VALUE, (-v), --quick, arm k-2",
        "a/b, and/or, the 1-norm, 0.98-1.05, seeds 0-39, -s KEY=VALUE, (-v), --quick, arm k-2",
        "a/b, and/or, the 1-norm, 0.98-1.05, seeds 0-39, -s KEY=VALUE, (-v), --quick, arm k-2",
    ),
    (
        "the authors' widths, a layer's pi, 'L', int a and print",
        "the authors&#39; widths, a layer&#39;s π, &#39;L&#39;, int a and print",
        "the authors' widths, a layer's π, 'L', int a and print",
    ),
    (
        "the power 2-2/L or 1-2/L of 99 % in 1e-3 %, seeds 0-39, 16-3/4",
        'the power 2−2/L or 1−2/L of <span class="whole">99 %</span> in <span class="whole">1e-3 %</span>, seeds 0-39, '
        "16-3/4",
        "the power 2-2/L or 1-2/L of 99 % in 1e-3 %, seeds 0-39, 16-3/4",
    ),
    (
        "'depth L' and 'flow of W', in 'layers l', s'(t) = v' and 'path W_l' of W'",
        "&#39;depth L&#39; and &#39;flow of W&#39;, in &#39;layers l&#39;, s′(t) = v′ and &#39;path W<sub>l</sub>&#39; "
        "of W′",
        "'depth L' and 'flow of W', in 'layers l', s'(t) = v' and 'path Wₗ' of W'",
    ),
    (
        "https://example.org/a_1^2, \\alpha, x^, _y, W_(1, a_b_c, e^x_i, f(x)_old",
        "https://example.org/a_1^2, \\alpha, x^, _y, W_(1, a_b_c, e^x_i, f(x)<sub>old</sub>",
        "https://example.org/a_1^2, \\alpha, x^, _y, W_(1, a_b_c, e^x_i, f(x)_old",
    ),
    (
        '<b>bold</b> <script>alert(1)</script> & "q"',
        "&lt;b&gt;bold&lt;/b&gt; &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;q&#34;",
        '<b>bold</b> <script>alert(1)</script> & "q"',
    ),
]

TAGS = {SUBSCRIPT: "<sub>", SUPERSCRIPT: "<sup>"}


@pytest.mark.parametrize(("written", "page", "terminal"), NOTATION)
def test_notation_is_set_on_a_page_and_in_a_terminal(written: str, page: str, terminal: str) -> None:
    assert in_html(written) == page
    assert in_terminal(written) == terminal


@pytest.mark.parametrize(("written", "page"), [row[:2] for row in NOTATION if "`" not in row[0]])
def test_a_picture_shows_the_same_as_a_page(written: str, page: str) -> None:
    assert tagged(in_picture(written)) == page.replace('<span class="whole">', "").replace("</span>", "")


def test_a_picture_shows_a_name_without_backticks() -> None:
    assert in_picture("the law of `law_depth` and sigma_1") == f"the law of law_depth and σ{SUBSCRIPT}1{END}"


def tagged(picture: str) -> str:
    """A text for a picture in HTML."""
    text, opened = "", []
    for letter in picture.replace("\u00a0", " "):
        if letter in TAGS:
            opened.append(TAGS[letter])
        text += TAGS.get(letter) or (opened.pop().replace("<", "</") if letter == END else html.escape(letter))
    return text.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_a_terminal_without_unicode_shows_what_is_written(encoding: str) -> None:
    assert in_terminal("sigma_1^(2-2/L) <= ||W||\x1b", encoding) == "sigma_1^(2-2/L) <= ||W||\ufffd"
    assert in_terminal("sigma_1 <= ||W||", "UTF-8") == in_terminal("sigma_1 <= ||W||", "utf_16") == "σ₁ ≤ ‖W‖"


def test_a_text_becomes_visible_and_one_line_except_for_a_terminal_which_lays_lines_out_itself() -> None:
    for function in (in_html, in_picture):
        assert function("two\n  lines\x1b of sigma\u202e") == "two lines\ufffd of σ\ufffd"
    assert in_terminal("two\n  lines\x1b of sigma\u202e") == "two\n  lines\ufffd of σ\ufffd"


def test_the_name_of_what_a_text_explains_stands_before_it_as_it_is() -> None:
    assert picture_lines("angle theta of the sweep", 20, name="theta") == ["theta: angle θ of", "the sweep"]


def test_every_name_of_a_greek_letter_is_set_alone_and_as_a_base_and_not_inside_a_word() -> None:
    for name, letter in GREEK.items():
        assert in_html(f"{name}, 2 {name}_1^2") == f"{letter}, 2 {letter}<sub>1</sub><sup>2</sup>"
        assert in_html(f"x{name} {name}x step_{name} {name}_start") == f"x{name} {name}x step_{name} {name}_start"


def test_what_is_nested_too_deep_stays_as_it_is_written() -> None:
    assert in_html("a^(b^(c^(d^(e^(f)))))") == "a" + "".join(f"<sup>{x}" for x in "bcde") + "^(f)" + "</sup>" * 4


PIECES = [
    *GREEK, *SIGNS, "W", "s", "a", "_", "^", "_(", "^(", "^{", "(", ")", "{", "}", "[", "|", "||", "<", ">", "`", "'",
    '"', "-", " ", " - ", "\n", "1", "2.5", "1e-8", "/", ",", ".", "*", "sqrt(", "int ", "max_", "step_size", "and/or",
    "max-margin-direction", "<b>", "&amp;", "\\", "$", "\u202e", "\ufdd0", "\ufdd2", "é", "x_law", "dsigma_r", "ubar",
]  # fmt: skip
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


def whole(parts: tuple[Part, ...]) -> str:
    """The sources of the parts, after each group was held against its own source."""
    for part in parts:
        if isinstance(part, Script):
            inner = f"({whole(part.inner)})" if part.grouped else whole(part.inner)
            assert part.source.replace("{", "(", 1) in (
                f"_{inner}",
                f"^{inner}",
                f"_{inner[:-1]}}}",
                f"^{inner[:-1]}}}",
            )
        elif isinstance(part, Root):
            assert part.source == f"sqrt({whole(part.inner)})"
    return "".join(part.source for part in parts)


@given(texts)
def test_no_text_is_refused_and_none_is_lost(text: str) -> None:
    assert whole(parse(text)) == text


NAMES = {sign: name for name, sign in [*reversed(GREEK.items()), *SIGNS.items(), *ACCENTS.items()]}


def bare(text: str) -> str:
    """A text with names for signs, and without brackets, marks, roots and stops, which are shown in other ways."""
    named = re.sub("|".join(map(re.escape, NAMES)), lambda found: NAMES[found[0]], text)
    named = named.replace("epsilon", "eps").replace("sqrt", "√")
    return "".join(letter for letter in named if letter not in "_^(){}`√.")


@given(texts)
def test_html_is_balanced_and_holds_the_letters_of_the_text(text: str) -> None:
    shown = ET.fromstring(f"<p>{in_html(text)}</p>")
    assert {element.tag for element in shown.iter()} <= {"p", "sub", "sup", "code", "span"}
    assert bare("".join(shown.itertext())) == bare(in_a_line(text))


@given(texts)
def test_a_picture_holds_the_letters_of_the_text_and_every_line_ends_what_it_begins(text: str) -> None:
    lines = picture_lines(text, 12)
    for line in lines:
        ET.fromstring(f"<p>{tagged(line)}</p>")
    shown = "".join(letter for line in lines for letter in line if letter not in {SUBSCRIPT, SUPERSCRIPT, END})
    assert "".join(bare(shown).split()) == "".join(bare(in_a_line(text)).split())


@given(texts)
def test_a_terminal_shows_nothing_unseen(text: str) -> None:
    shown = in_terminal(text)
    assert visible(shown) == shown
    assert in_terminal(text, "ascii") == visible(text)


NOT_PLAIN = {*ACCENTS, *GREEK, *(f"d{name}" for name in GREEK), "sum", "prod", "max", "min", "lim", "sup", "inf", "int"}
plain_words = st.from_regex(
    r"[a-z]{2,12}|[0-9]{1,4}(\.[0-9]{1,4})?|[A-Z][a-z]{2,8}'s|[a-z]{2,8}_[a-z]{2,8}", fullmatch=True
).filter(lambda word: word.split("_")[0] not in {*NOT_PLAIN, "sqrt", "grad"})


@given(st.lists(st.tuples(plain_words, st.sampled_from([" ", ", ", ". ", ": ", "/", " (", ") ", "; ", "? "]))))
def test_text_without_notation_is_unchanged(pieces: list[tuple[str, str]]) -> None:
    text = "".join(word + mark for word, mark in pieces).strip()
    assert in_terminal(text) == in_picture(text) == html.unescape(in_html(text)) == text


def test_a_part_of_notation_in_a_line_that_is_too_long_ends_in_it_and_goes_on_in_the_next() -> None:
    assert picture_lines("x^(abcdef)", 6) == [f"x{SUPERSCRIPT}abcd{END}", f"{SUPERSCRIPT}ef{END}"]
    assert picture_lines("as x^(a + b) is", 8) == ["as", f"x{SUPERSCRIPT}a\u00a0+\u00a0b{END}", "is"]


@pytest.mark.parametrize(
    ("value", "text"), [(1e-8, "10⁻⁸"), (1e12, "10¹²"), (0.01, "0.01"), (100.0, "100"), (1.0, "1"), (2e-5, "2e-5")]
)
def test_ticks_are_powers_of_ten(value: float, text: str) -> None:
    assert power_of_ten(value) == text


def test_intervals_have_signs_for_minus() -> None:
    assert bound_words("≥ -0.02 and ≤ 1e-8") == "≥ −0.02 and ≤ 1e-8"
    assert bound_words("> -1 and < 1e-8") == "> −1 and < 1e-8"
    assert bound_words("arm far-off: see --jobs and -v") == "arm far-off: see --jobs and -v"


def test_what_cannot_be_seen_is_marked_and_what_has_no_room_is_cut() -> None:
    assert shortened("a\x07b\u202ec\nd", 7) == "a\ufffdb\ufffdc\nd"
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"


def test_settings_and_sizes_are_short() -> None:
    assert [setting(value) for value in (True, 1e10, 0.001, [1.0, 0.5], "flow", 3)] == [
        "true", "1e10", "0.001", "[1, 0.5]", "flow", "3",
    ]  # fmt: skip
    assert [size(count) for count in (284_000_000, 2_500_000_000)] == ["284 MB", "2.5 GB"]

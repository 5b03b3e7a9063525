/** Ranking models as graphs: Wukong (arXiv 2403.02545) and what its parts share. */
@NullMarked
package dev.wukong.ranker;

import org.jspecify.annotations.NullMarked;

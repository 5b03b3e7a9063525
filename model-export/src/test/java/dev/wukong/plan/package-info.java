@NullMarked
package dev.wukong.plan;

import org.jspecify.annotations.NullMarked;

/** What reads bundles, beside which its inner classes are called. */
@org.jspecify.annotations.NullMarked
package dev.wukong.bundle;

"""Plans beyond the compiler's: measured, told, saved, compared, ended early."""

"""Contrastive training and denoised supervision with hard negatives and distillation (arXiv 2112.01488, section 3.2)."""

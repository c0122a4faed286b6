"""usecase"""

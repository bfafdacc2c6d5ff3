"""Derivations as a person would write them, line by line. (Not `explain`: the package would hide the function.)"""

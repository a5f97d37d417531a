"""`python -m unspin` is the command `unspin`."""

from unspin.cli import main

if __name__ == "__main__":
    main()

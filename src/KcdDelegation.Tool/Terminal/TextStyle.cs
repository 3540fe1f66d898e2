namespace KcdDelegation.Tool.Terminal;

/// <summary>The emphasis of a part of a line.</summary>
internal enum TextStyle
{
    /// <summary>No emphasis.</summary>
    Plain,

    /// <summary>Bold.</summary>
    Strong,

    /// <summary>Less visible than other text.</summary>
    Quiet,

    /// <summary>Green: nothing to do.</summary>
    Good,

    /// <summary>Yellow: worth reading.</summary>
    Notice,

    /// <summary>Red: a fault.</summary>
    Bad,

    /// <summary>Cyan: a command.</summary>
    Command,
}

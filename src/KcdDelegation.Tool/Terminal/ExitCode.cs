namespace KcdDelegation.Tool.Terminal;

/// <summary>The exit codes, which are the same for every command.</summary>
internal enum ExitCode
{
    /// <summary>Success.</summary>
    Done = 0,

    /// <summary>Refused by a server or by a check of the tool. Retrying without a change fails again.</summary>
    Refused = 1,

    /// <summary>Wrong arguments or settings.</summary>
    WrongUsage = 2,

    /// <summary>No KDC, issuer or backend answered.</summary>
    NoAnswer = 3,

    /// <summary>Interrupted. As in shells, 128 plus the number of SIGINT.</summary>
    Interrupted = 130,
}

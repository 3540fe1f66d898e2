namespace KcdDelegation.Gateway.Commands;

/// <summary>The exit codes, which are those of the <c>kcd</c> command.</summary>
internal enum ExitCode
{
    /// <summary>Success.</summary>
    Done = 0,

    /// <summary>Refused by a server or by a check. A second attempt without a change fails again.</summary>
    Refused = 1,

    /// <summary>Wrong arguments or settings.</summary>
    WrongUsage = 2,

    /// <summary>No KDC, identity provider or application answered.</summary>
    NoAnswer = 3,
}

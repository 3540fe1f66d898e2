namespace KcdDelegation.Tool.Terminal;

/// <summary>What the command tells scripts. The same numbers in every command.</summary>
internal enum ExitCode
{
    /// <summary>Done.</summary>
    Done = 0,

    /// <summary>Refused, by a server or by the tool's own checks; it comes again until something is changed.</summary>
    Refused = 1,

    /// <summary>Wrong usage: arguments or settings.</summary>
    WrongUsage = 2,

    /// <summary>No answer: no KDC, issuer or backend could be reached.</summary>
    NoAnswer = 3,

    /// <summary>Interrupted: 128 and the number of SIGINT, as shells have it.</summary>
    Interrupted = 130,
}

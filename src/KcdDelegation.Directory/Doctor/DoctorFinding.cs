namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The stage of a check: the three stages of a failure (docs/troubleshooting.md), and the domain as a whole.</summary>
internal enum DoctorStage
{
    /// <summary>The caller, and the account that the directory has under that name.</summary>
    Identity,

    /// <summary>The account's right to a ticket for that user to that service.</summary>
    Delegation,

    /// <summary>The backend, which must accept the ticket.</summary>
    Target,

    /// <summary>Settings of the domain that affect every account.</summary>
    Domain,
}

/// <summary>The verdict of a check.</summary>
internal enum DoctorVerdict
{
    /// <summary>The check found nothing to correct.</summary>
    Ok,

    /// <summary>A fault that prevents delegation or endangers the domain.</summary>
    Fix,

    /// <summary>Something that an administrator should know. It prevents nothing.</summary>
    Look,

    /// <summary>The check was not made. The text says why.</summary>
    Skipped,
}

/// <summary>A command of an administrator.</summary>
/// <param name="System">The system for which it is, such as <c>Samba</c>; null for any.</param>
/// <param name="Text">The command line.</param>
internal sealed record DoctorCommand(string? System, string Text);

/// <summary>The result of one check of one subject.</summary>
internal sealed record DoctorFinding
{
    /// <summary>Gets the number in the report, from 1. A check keeps its identifier between versions, not its number.</summary>
    public int Number { get; init; }

    /// <summary>Gets the identifier of the check, such as <c>delegation.list</c>.</summary>
    public required string Check { get; init; }

    public required DoctorStage Stage { get; init; }

    public required DoctorVerdict Verdict { get; init; }

    /// <summary>Gets what was examined: an application, an account, a user or a realm.</summary>
    public required string Subject { get; init; }

    /// <summary>Gets the state that the check expects, as a sentence.</summary>
    public required string Title { get; init; }

    /// <summary>Gets what was found, or why the check was not made. It is empty where the title is sufficient.</summary>
    public required string Text { get; init; }

    /// <summary>Gets the facts on which the verdict is based, one line each.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>Gets the steps that correct the fault, as sentences.</summary>
    public string? Remedy { get; init; }

    /// <summary>Gets the commands that correct the fault, in the order in which they are run. Alternatives differ in their
    /// system.</summary>
    public IReadOnlyList<DoctorCommand> Commands { get; init; } = [];

    /// <summary>Gets the command that repeats this check.</summary>
    public string? Proof { get; init; }

    /// <summary>Gets the heading of docs/troubleshooting.md that explains the check.</summary>
    public required string Help { get; init; }

    /// <summary>Gets whether a KDC, a directory server or a backend that should answer did not.</summary>
    public bool IsNoAnswer { get; init; }
}

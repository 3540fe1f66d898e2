namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The subject of a check, which decides how often it is made.</summary>
internal enum CheckScope
{
    /// <summary>Once for each delegating account.</summary>
    Account,

    /// <summary>Once for each user of each account.</summary>
    User,

    /// <summary>Once for each application.</summary>
    Application,
}

/// <summary>The requirements of a check. If one is not met, the check is skipped with the reason.</summary>
[Flags]
internal enum CheckNeeds
{
    None = 0,

    /// <summary>A KDC that answers.</summary>
    Kdc = 1,

    /// <summary>The account's log-on.</summary>
    LogOn = 2,

    /// <summary>The directory of the account's domain. The check does not apply to a realm without one.</summary>
    Directory = 4,

    /// <summary>A user.</summary>
    User = 8,

    /// <summary>The user's ticket to the account (S4U2Self).</summary>
    Evidence = 16,

    /// <summary>The user's ticket to the application (S4U2Proxy).</summary>
    Ticket = 32,

    /// <summary>The address of the backend.</summary>
    Address = 64,
}

/// <summary>One check.</summary>
/// <param name="Id">The identifier, which stays the same between versions.</param>
/// <param name="Stage">The stage.</param>
/// <param name="Scope">The scope.</param>
/// <param name="Needs">What the check needs.</param>
/// <param name="Title">The expected state, as a sentence.</param>
/// <param name="RunAsync">Makes the check.</param>
internal sealed record DoctorCheck(
    string Id,
    DoctorStage Stage,
    CheckScope Scope,
    CheckNeeds Needs,
    string Title,
    Func<CheckSubject, CancellationToken, Task<DoctorFinding>> RunAsync)
{
    /// <summary>Gets the heading of docs/troubleshooting.md that explains the check.</summary>
    public string Help => $"check-{Id.Replace('.', '-')}";
}

using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The subjects and options of one run.</summary>
internal sealed record DoctorRequest
{
    public required KcdSettings Settings { get; init; }

    /// <summary>Gets the applications to examine. All, if the list is empty.</summary>
    public IReadOnlyList<string> Applications { get; init; } = [];

    /// <summary>Gets the user in whose name tickets are requested, or null. The realm of an account name may be null: it is then that of
    /// the application.</summary>
    public DoctorUser? User { get; init; }

    /// <summary>Gets a second user, who shows whether a fault concerns one user only, or null.</summary>
    public DoctorUser? OtherUser { get; init; }

    /// <summary>Gets the identifiers of the checks to make. All, if the list is empty.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Gets the command line that repeats the run, for the proof commands.</summary>
    public string CommandLine { get; init; } = "kcd doctor";

    /// <summary>Gets what the validation of a token found, or null if there is no token.</summary>
    public TokenExamination? Token { get; init; }

    /// <summary>Gets the time for one answer of a server.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Gets the factory of the handlers that the host passes to <see cref="KcdHandler"/>; null for the default.</summary>
    public Func<SocketsHttpHandler>? CreateHandler { get; init; }

    public required ILoggerFactory LoggerFactory { get; init; }

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>A user by name.</summary>
/// <param name="Name">A user principal name, or the name of an account.</param>
/// <param name="Realm">The realm; null for that of the application.</param>
internal sealed record DoctorUser(string Name, string? Realm)
{
    /// <summary>Returns the principal as the library would request it for the application.</summary>
    public KerberosPrincipal ToPrincipal(string defaultRealm) => Name.Contains('@', StringComparison.Ordinal)
        ? KerberosPrincipal.Enterprise(Name, Realm)
        : KerberosPrincipal.Principal(Name, Realm ?? defaultRealm);
}

/// <summary>The result of the validation of a token.</summary>
/// <param name="Identity">The user that the token maps to, or null.</param>
/// <param name="Failure">The refusal, or null.</param>
/// <param name="Length">The length of the token in bytes.</param>
internal sealed record TokenExamination(KerberosPrincipal? Identity, KcdException? Failure, int Length);

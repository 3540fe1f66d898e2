using System.Globalization;

namespace KcdDelegation.Diagnosis;

/// <summary>The content of a <see cref="KcdException"/>. External text in it has passed <see cref="PrintableText"/>.</summary>
internal sealed record DelegationFailure(KcdStage Stage, KcdErrorKind Kind, int EventId, string Cause, string Remedy)
{
    /// <summary>Creates a failure of the kind that is usual at its stage.</summary>
    public DelegationFailure(KcdStage stage, int eventId, string cause, string remedy)
        : this(
            stage, stage == KcdStage.Identity ? KcdErrorKind.UserNotPermitted : KcdErrorKind.Configuration, eventId, cause, remedy)
    {
    }

    /// <summary>The meaning of the failure for the host. A transient failure is always <see cref="KcdErrorKind.Unavailable"/>.</summary>
    public KcdErrorKind Kind { get => IsTransient ? KcdErrorKind.Unavailable : field; } = Kind;

    public bool IsTransient { get; init; }

    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"{Cause} Remedy: {Remedy} (stage {Stage}, event {EventId})");

    public KcdException ToException(Exception? inner = null) => new(this, inner);

    /// <summary>Creates a refusal at the stage of identity.</summary>
    public static DelegationFailure Identity(KcdErrorKind kind, int eventId, string cause, string remedy) =>
        new(KcdStage.Identity, kind, eventId, cause, remedy);

    /// <summary>Creates a refusal of this user at the stage of identity.</summary>
    public static DelegationFailure Identity(int eventId, string cause, string remedy) =>
        Identity(KcdErrorKind.UserNotPermitted, eventId, cause, remedy);
}

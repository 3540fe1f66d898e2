using System.Globalization;

namespace KcdDelegation.Diagnosis;

/// <summary>The content of a <see cref="KcdException"/>. External text in it has passed <see cref="PrintableText"/>.</summary>
internal sealed record DelegationFailure(KcdStage Stage, int EventId, string Cause, string Remedy)
{
    public bool IsTransient { get; init; }

    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"{Cause} Remedy: {Remedy} (stage {Stage}, event {EventId})");

    public KcdException ToException(Exception? inner = null) => new(this, inner);

    /// <summary>Creates a refusal at the stage of identity.</summary>
    public static DelegationFailure Identity(int eventId, string cause, string remedy) => new(KcdStage.Identity, eventId, cause, remedy);
}

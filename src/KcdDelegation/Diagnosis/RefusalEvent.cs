using System.Collections;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Diagnosis;

/// <summary>The log entry of a refusal: the message, and its parts as fields for structured logs.</summary>
/// <remarks>Cause and remedy name accounts and services, as the message does. No field contains a token, a ticket or a key.</remarks>
internal sealed class RefusalEvent : IReadOnlyList<KeyValuePair<string, object?>>
{
    /// <summary>The name under which providers of logs find the message's template.</summary>
    private const string TemplateField = "{OriginalFormat}";

    private const string Sentence = "{Cause} Remedy: {Remedy} (stage {Stage}, event {Event})";

    private readonly List<KeyValuePair<string, object?>> _fields = [];
    private readonly string _message;

    /// <summary>Initializes the entry.</summary>
    /// <param name="refusal">The refusal.</param>
    /// <param name="application">The application that was called; null for a refusal of no application.</param>
    /// <param name="caller">The issuer's identifier of the caller; null if it is not known.</param>
    public RefusalEvent(KcdException refusal, string? application, string? caller)
    {
        var prefix = application is null ? "Refused: "
            : $"Delegation to {PrintableText.From(application)} refused{(caller is null ? "" : $" for the caller {caller}")}: ";
        _message = prefix + InLowerCase(refusal.Message);
        Add("Application", application is null ? null : PrintableText.From(application));
        Add("Caller", caller);
        Add("Stage", refusal.Stage);
        Add("Kind", refusal.Kind);
        Add("Event", refusal.EventId);
        Add("StatusCode", (int)refusal.StatusCode);
        Add("IsTransient", refusal.IsTransient);
        if (refusal.InnerException is KerberosException error)
        {
            Add("User", error.User is { } user ? PrintableText.From(user.ToString()) : null);
            Add("Account", error.Account is { } account ? PrintableText.From(account) : null);
            Add("Realm", error.Realm.Length > 0 ? PrintableText.From(error.Realm) : null);
            Add("Service", error.Service is { } service ? PrintableText.From(service.ToString()) : null);
            Add("Exchange", error.Exchange);
            Add("KerberosError", error.CodeName ?? error.Reason.ToString());
        }
        Add("Cause", refusal.Cause);
        Add("Remedy", refusal.Remedy);
        Add("TraceId", refusal.TraceId);
        Add(TemplateField, application is null ? $"Refused: {Sentence}"
            : caller is null ? $"Delegation to {{Application}} refused: {Sentence}"
            : $"Delegation to {{Application}} refused for the caller {{Caller}}: {Sentence}");
    }

    public int Count => _fields.Count;

    public KeyValuePair<string, object?> this[int index] => _fields[index];

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => _message;

    private void Add(string name, object? value)
    {
        if (value is not null)
            _fields.Add(new KeyValuePair<string, object?>(name, value));
    }

    /// <summary>Returns the sentence as it continues after a colon. A first word such as HTTP is not changed.</summary>
    private static string InLowerCase(string sentence) =>
        sentence is [_, var second, ..] && (char.IsLower(second) || second == ' ') ? char.ToLowerInvariant(sentence[0]) + sentence[1..]
            : sentence;
}
